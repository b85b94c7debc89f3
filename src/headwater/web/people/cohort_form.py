"""Hold what was typed about a cohort, and what is wrong with it."""

import msgspec
from litestar.datastructures import FormMultiDict

from headwater.base.errors import HeadwaterError
from headwater.extensions import Cohort
from headwater.web.conditions import show_conditions


class CohortForm(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of the form."""

    name: str = ""
    conditions: str = ""
    """One a line."""
    name_error: str = ""
    conditions_error: str = ""
    status: int = 200

    @classmethod
    def of(cls, cohort: Cohort) -> "CohortForm":
        """Return the form as it is first shown."""
        return cls(name=cohort.name, conditions=show_conditions(cohort.conditions))

    @classmethod
    def typed(cls, form: FormMultiDict) -> "CohortForm":
        """Return what was typed."""
        return cls(name=str(form.get("name", "")), conditions=str(form.get("conditions", "")))

    def refused(self, err: HeadwaterError) -> "CohortForm":
        """Return it with the fault beside its field."""
        where = "name_error" if err.field == "name" else "conditions_error"
        text = f"{err.message} {err.hint}".strip()
        return msgspec.structs.replace(self, status=int(err.status), **{where: text})
