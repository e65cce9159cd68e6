from ui import measurement


def test_the_numbers_have_the_span_of_the_critics_where_there_are_several() -> None:
    curve = {
        "network": "teacher", "input": "clean", "layers": {"stem": 2.0, "layer1": None},
        "bands": {"stem": [1.9, 2.125]},
    }  # fmt: skip
    (row,) = measurement.rows({"curves": [curve]})
    assert (row["stem"], row["layer1"]) == ("2.00 nats (1.90–2.12)", "–")
    (alone,) = measurement.rows({"curves": [{**curve, "bands": {}}]})
    assert alone["stem"] == "2.00 nats"
