from synthetic_records import INFO

from results.plain_answers import (
    cloud_model,
    edge_only_frontier,
    image_frontiers,
    is_edge_only,
    is_image,
    is_shared,
    plain_answers,
)


def test_every_trial_is_an_image_edge_only_or_shared(records):
    for record in records:
        assert [is_image(record), is_edge_only(record, INFO), is_shared(record, INFO)].count(True) == 1


def test_each_format_has_its_own_rising_frontier(records):
    frontiers = image_frontiers(records)
    assert list(frontiers) == ["avif", "jpeg", "webp"]
    for members in frontiers.values():
        values = [(member.validation.bytes, member.validation.quality) for member in members]
        assert values == sorted(values)


def test_edge_only_sub_models_of_the_search_count_as_plain_answers(records):
    frontier = edge_only_frontier(records, INFO)
    assert {member.kind for member in frontier} == {"anchor", "search"}
    assert frontier[-1] == cloud_model(records, INFO)


def test_plain_answers_hold_both_ends_and_nothing_shared(records):
    answers = plain_answers(records, INFO)
    assert any(is_image(answer) for answer in answers) and any(is_edge_only(answer, INFO) for answer in answers)
    assert not any(is_shared(answer, INFO) for answer in answers)
