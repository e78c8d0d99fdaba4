"""What is found unusable in data, with a code for reports."""


class Refused(ValueError):
    """Something in data that is not used.

    Not for users: whoever looks through data turns it into a finding.
    """

    def __init__(self, reason: str, detail: str) -> None:
        """Takes the reason.

        Args:
            reason: code.
            detail: what is wrong, for people.
        """
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
