"""Storage: the study's database, opened so that a kill loses nothing and a bad file is told in one line."""

from __future__ import annotations

import errno
import fcntl
import os
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import optuna
from optuna.exceptions import ExperimentalWarning, StorageInternalError
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from automl.database import Database
from automl.run_folder import DATABASE
from deploy.atomic import partial_folder
from deploy.errors import UserError, unknown

HEARTBEAT_SECONDS = 15
GRACE_SECONDS = 60
LOCK_SECONDS = 60.0


class _Connection(sqlite3.Connection):
    """A connection with a write-ahead log: half the time a trial, and a kill of the process loses no commit."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.execute("PRAGMA journal_mode=WAL")
        self.execute("PRAGMA synchronous=NORMAL")


def storage_url(where: Path | str) -> str:
    """Return Optuna's URL of a run's folder, of an SQLite file, or of a URL itself."""
    if isinstance(where, str) and "://" in where:
        return where
    path = Path(where)
    return f"sqlite:///{(path if path.suffix == '.db' else path / DATABASE).absolute()}"


def open_storage(where: Path | str) -> Database:
    """Open the database, creating it where there is none.

    A new SQLite file appears complete or not at all; an existing one is checked before anything is written to it.

    Raises:
        UserError: the file is damaged or not a study, the place cannot be written, or the URL cannot be reached.
    """
    url = storage_url(where)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with _opening_errors(url):
        file = sqlite_file(url)
        if file is None:
            return _connect(url)
        if file.exists():
            check_file(file)
        else:
            _create(file)
        return _connect(url)


def load_study(where: Path | str, name: str) -> optuna.Study:
    """Return a study that is there; nothing is written.

    Raises:
        UserError: there is no such study, or its storage cannot be used.
    """
    url = storage_url(where)
    with _opening_errors(url):
        file = sqlite_file(url)
        if file is not None and not file.exists():
            raise UserError(f"{file} does not exist: start the run with 'eccsearch run'")
        storage = open_storage(where)
        names = optuna.get_all_study_names(storage)
        if not names:
            raise UserError(f"no study '{name}' in {shown(url)}: it is empty")
        if name not in names and isinstance(where, Path) and len(names) == 1:
            raise UserError(f"{file} holds the run '{names[0]}', not '{name}': give its folder that name back")
        if name not in names:
            raise unknown("study", name, names)
        return optuna.load_study(study_name=name, storage=storage)


def absolute_url(url: str) -> str:
    """Return a URL that means the same from every folder.

    Raises:
        UserError: it is no URL, or names a database that ends with its process.
    """
    with database_errors(url):
        parsed = make_url(url)
    if not parsed.drivername.startswith("sqlite"):
        return url
    if parsed.database in (None, "", ":memory:"):
        raise UserError(f"--storage {url} keeps nothing: name a file, e.g. sqlite:////home/me/studies.db")
    file = Path(str(parsed.database)).absolute()
    return parsed.set(database=str(file)).render_as_string(hide_password=False)


def sqlite_file(url: str) -> Path | None:
    """Return the file of an SQLite URL; None for a database server."""
    parsed = make_url(url)
    return Path(parsed.database) if parsed.drivername.startswith("sqlite") and parsed.database else None


def check_file(file: Path) -> None:
    """Check that a file is an intact SQLite database that holds studies.

    Raises:
        UserError: it is not; the file is left as it is.
    """
    keep = "it was left as it is; choose another run with --name, or move the file away"
    foreign = UserError(f"{file} is not an SQLite database: {keep}")
    if not file.stat().st_size:
        raise foreign
    try:
        # By SQLite itself: a file that is opened otherwise drops this process's locks on it when it is closed, and
        # another process then deletes the log that this one still writes to.
        with closing(sqlite3.connect(file, timeout=LOCK_SECONDS)) as connection:
            tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")}
            verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.DatabaseError as error:
        if "not a database" in str(error):
            raise foreign from None
        if "malformed" not in str(error):
            raise
        verdict, tables = str(error), {"studies"}
    if verdict != "ok":
        raise UserError(f"{file} is damaged ({_one_line(verdict)}): {keep}")
    if not {"studies", "trials", "version_info"} <= tables:
        raise UserError(f"{file} is a database of another program: {keep}")


@contextmanager
def database_errors(url: str) -> Iterator[None]:
    """Turn what a database or its disk can do wrong into one line for the user."""
    try:
        yield
    except (SQLAlchemyError, StorageInternalError, sqlite3.Error) as error:
        raise UserError(_explained(url, error)) from error


@contextmanager
def _opening_errors(url: str) -> Iterator[None]:
    try:
        with database_errors(url):
            yield
    except (OSError, ImportError) as error:
        raise UserError(_explained(url, error)) from error


def shown(url: str) -> str:
    """Return what to call a storage: the SQLite file, or the URL without its password."""
    try:
        return str(sqlite_file(url) or make_url(url).render_as_string(hide_password=True))
    except ArgumentError:
        return url


def _connect(url: str) -> Database:
    local = sqlite_file(url) is not None
    arguments = {"connect_args": {"timeout": LOCK_SECONDS, "factory": _Connection}} if local else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return Database(
            url, engine_kwargs=arguments, heartbeat_interval=HEARTBEAT_SECONDS, grace_period=GRACE_SECONDS
        )


def _create(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with partial_folder(file) as folder:
        fresh = folder / file.name
        _connect(f"sqlite:///{fresh.absolute()}").engine.dispose()
        with closing(sqlite3.connect(fresh)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        _place(fresh, file)


def _place(fresh: Path, file: Path) -> None:
    """Give a file its name, unless another process was quicker: its file must not be replaced."""
    try:
        os.link(fresh, file)
    except FileExistsError:
        return
    except OSError:
        # A file system without hard links, such as FAT; there the folder is locked, which a kill undoes.
        with _locked(file.parent):
            if not file.exists():
                fresh.rename(file)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _explained(url: str, error: BaseException) -> str:
    reason = _one_line(str(getattr(error, "orig", None) or error.__cause__ or error))
    number = getattr(error, "errno", None)
    hint = "check that the folder exists and can be written"
    if "full" in reason or number == errno.ENOSPC:
        hint = "free some space and run the same command again; what is finished is kept"
    elif "locked" in reason:
        hint = "another process holds it; try again"
    elif "malformed" in reason or "not a database" in reason:
        hint = "the file is damaged; restore it or choose another run with --name"
    return f"cannot use the study's storage {shown(url)}: {reason}; {hint}"


def _one_line(text: str) -> str:
    return " ".join(text.split())[:200]
