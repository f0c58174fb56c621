"""The demo's customers."""

from collections import Counter

from callcenter.customers.draft import check, read_phones
from callcenter.customers.sample import COUNT, SWITCHBOARD, sample_customers
from callcenter.matching.number import Reader

READER = Reader("GB")


def test_samples_are_the_same_each_time_and_can_be_stored() -> None:
    customers = sample_customers(owners=("li", "wang"))
    assert customers == sample_customers(owners=("li", "wang"))
    assert len(customers) == COUNT
    for customer in customers:
        check(customer)
        assert read_phones(customer.phones, READER)
    assert {customer.owner for customer in customers} == {"li", "wang", None}


def test_samples_have_numbers_that_belong_to_nobody() -> None:
    numbers = Counter(
        number.e164 for customer in sample_customers() for number, _ in read_phones(customer.phones, READER)
    )
    assert all(e164 and e164.startswith(("+4420794600", "+442079460", "+447700900")) for e164 in numbers)
    switchboard = READER.read(SWITCHBOARD).e164
    assert numbers.pop(switchboard) > 5
    assert set(numbers.values()) == {1}
