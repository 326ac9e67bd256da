"""The rule and the order in which parameters are drawn."""

from collections.abc import Iterator, Sequence

from lmoo.models.expression.tree import ExpressionTree, Node
from lmoo.models.starts.form import PowerForm, power_forms
from lmoo.models.starts.functions import (
    ARITHMETIC,
    COMPARISONS,
    PERIODIC,
    POWER,
    SAME_SIZE,
    SCALE_FREE,
)
from lmoo.models.starts.locations import LocationRule
from lmoo.models.starts.oscillations import FrequencyRule, PhaseRule
from lmoo.models.starts.phase import Phase
from lmoo.models.starts.rules import Rule
from lmoo.models.starts.sizes import (
    ArgumentRule,
    BalanceRule,
    ConstantRule,
    ExponentRule,
    GenericRule,
)


def plan(tree: ExpressionTree, drawn: Sequence[int], known: int) -> list[Rule]:
    """Return one rule for each parameter, each after the rules of the parameters that it needs.

    Parameters
    ----------
    tree : ExpressionTree
    drawn : sequence of int
        Parameters to be drawn.
    known : int
        Parameters whose values are known, as bits.

    Examples
    --------
    >>> from lmoo.models.expression.parser import parse
    >>> from lmoo.models.expression.tree import ExpressionTree
    >>> steps, names = parse("h/(1 + ((x - m)/w)^2)", ["x"], None)
    >>> from lmoo.models.starts.plan import plan
    >>> [names[rule.parameter] for rule in plan(ExpressionTree(steps, 3), [1, 2], 0)]
    ['m', 'w']
    """
    waiting = {j: [rule for leaf in tree.leaves[j] for rule in _rules(j, leaf)] for j in drawn}
    out: list[Rule] = []
    while waiting:
        # Linear parameters are never known before the others are.
        unmet = sum(1 << j for j in waiting)
        ready = [
            rule
            for rules in waiting.values()
            for rule in rules
            if not isinstance(rule, GenericRule) and not rule.needs & unmet
        ]
        rule = _best(ready, waiting) if ready else _last_resort(waiting)
        rule.known = known
        rule.phase = _phase(waiting[rule.parameter])
        rule.rank = sum(type(other) is type(rule) for other in out)
        out.append(rule)
        known |= 1 << rule.parameter
        del waiting[rule.parameter]
    return out


def _best(ready: list[Rule], waiting: dict[int, list[Rule]]) -> Rule:
    """Return the rule of the best kind, of a parameter that does not wait for a better one."""

    def waits(rule: Rule) -> bool:
        others = [one for one in waiting[rule.parameter] if one not in ready]
        return any(one.priority < rule.priority for one in others)

    # Locations that need nothing come first, so that their ranks are those of the peaks.  Of the
    # terms of a chirp, the one with a constant frequency comes last; a spectrum determines it.
    return min(
        ready,
        key=lambda rule: (waits(rule), rule.priority, rule.needs != 0, rule.form.plain_factor),
    )


def _last_resort(waiting: dict[int, list[Rule]]) -> Rule:
    """Return a rule although each parameter waits for another one."""
    for kind in (BalanceRule, FrequencyRule, ArgumentRule, ConstantRule):
        for rules in waiting.values():
            for rule in rules:
                if isinstance(rule, kind):
                    return rule
    return next(iter(waiting.values()))[-1]


def _phase(rules: list[Rule]) -> Phase | None:
    """Return the phase if the rules of a parameter show that it is one, else None."""
    for rule in rules:
        if isinstance(rule, PhaseRule) and rule.is_parameter:
            return Phase(rule.form)
    return None


def _rules(j: int, leaf: Node) -> list[Rule]:
    """Return the rules for one occurrence of a parameter; the last one needs nothing."""
    forms = power_forms(leaf)
    inner = 0
    top = forms[-1].top
    if top.parent is not None and not top.parent.varies:
        # A function of parameters alone, as exp(k) in exp(k)*x: its value is drawn.
        constant = [node for node in leaf.path() if not node.varies][-1]
        inner = constant.parameters & ~(1 << j)
        forms = power_forms(constant)
    rules = [kind(j, leaf, form, needs | inner) for kind, form, needs in _kinds(forms)]
    if not rules:
        rules.append(_compared(j, leaf, forms[-1], inner))
    rules.append(GenericRule(j, leaf, PowerForm(leaf, leaf), 0))
    return rules


def _kinds(forms: list[PowerForm]) -> Iterator[tuple[type[Rule], PowerForm, int]]:
    """Yield kinds of rules, the values that they concern, and the parameters that they need."""
    located = balanced = False
    for form in forms:
        if form.has_offset and form.offset_varies and not form.factor_varies and not located:
            located = True
            yield LocationRule, form, form.parameters
        if form.has_offset and (form.factor_varies or not form.offset_varies) and not balanced:
            balanced = True
            yield BalanceRule, form, form.parameters
    form = forms[-1]
    function = form.function
    if function in PERIODIC:
        if form.factor_varies:
            yield FrequencyRule, form, form.factor_parameters
        else:
            yield PhaseRule, form, form.parameters if form.has_factor else form.factor_parameters
    elif function is POWER and form.top.side == 1 and not form.factor_varies:
        yield ExponentRule, form, form.factor_parameters
    elif _is_argument(form):
        yield ArgumentRule, form, form.factor_parameters
    elif not located and not balanced and function not in (*COMPARISONS, *SAME_SIZE):
        yield ConstantRule, form, form.parameters


def _is_argument(form: PowerForm) -> bool:
    """Return whether the value varies and its function determines its order of magnitude."""
    function = form.function
    no_scale = (*ARITHMETIC, *COMPARISONS, *SAME_SIZE)
    if function is None or not form.factor_varies or function in no_scale:
        return False
    # The terms of a sum determine each other's magnitude if the function does not.
    return not (form.has_offset and function in SCALE_FREE)


def _compared(j: int, leaf: Node, form: PowerForm, inner: int) -> Rule:
    """Return the rule for a parameter that is compared: both sides are equal somewhere."""
    needs = form.parameters | inner
    for node in form.top.others():
        needs |= node.parameters
    balanced = form.function in SAME_SIZE or form.factor_varies
    kind = BalanceRule if balanced else LocationRule
    return kind(j, leaf, form, needs, compared=True)
