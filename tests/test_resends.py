"""Sending a license again, from the button to the history, as a person does it."""


def test_resending_a_license(signed_in, rob, order, mailbox):
    page = signed_in(rob).open("/orders/A0005555555")
    question = page.press("Resend")
    assert "kim@example.com" in question.text
    assert mailbox.empty

    answer = question.press("Send")
    assert "was sent to kim@example.com" in answer.part("order-history").text
    assert len(mailbox.messages) == 1
