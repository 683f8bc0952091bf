"""Transfer: how long packets take over a link."""

from __future__ import annotations

import numpy as np

from evaluators.device_profile import LinkProfile


def transfer_seconds(packets: np.ndarray, link: LinkProfile) -> np.ndarray:
    """Return the seconds that each packet takes, without the round trip, (n,).

    With a trace, the first packet is sent at its beginning and the others at equal intervals over its whole length;
    a packet takes until the trace has let its bits through, and after its end the trace begins anew.

    Args:
        packets: Their lengths in bytes, (n,).
        link: The link.
    """
    bits = 8.0 * packets
    if link.trace is None:
        return bits / link.bandwidth
    rates = np.asarray(link.trace)
    starts = np.arange(len(packets)) * (len(rates) / max(len(packets), 1))
    return replayed(bits, starts, rates)


def replayed(bits: np.ndarray, starts: np.ndarray, rates: np.ndarray) -> np.ndarray:
    """Return how long bits (n,) take that are sent at ``starts`` (n,), in seconds.

    Args:
        bits: Of each packet.
        starts: When each is sent, from 0 to the trace's length.
        rates: Bits a second in each second of the trace, (t,); not all 0.
    """
    sent = np.concatenate([[0.0], np.cumsum(rates)])
    due = np.interp(starts, np.arange(len(sent)), sent) + bits
    rounds = np.maximum(np.ceil(due / sent[-1]) - 1, 0)
    rest = due - rounds * sent[-1]
    # The first moment at which so much is sent: a second without a rate is waited out only by what comes after it.
    second = np.clip(np.searchsorted(sent, rest, side="left") - 1, 0, len(rates) - 1)
    rate = np.where(rates[second] > 0, rates[second], 1.0)
    ends = second + (rest - sent[second]) / rate
    return np.where(bits > 0, rounds * len(rates) + ends - starts, 0.0)
