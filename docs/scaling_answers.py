"""The first screen of docs/SCALING.md, with the figures as the model has them."""

from textwrap import fill

import costs
import scaling_text as text
from scaling_model import (
    HOUR,
    INSTANCE_THREADS,
    MOST_WORKERS,
    PANDAS,
    RUNS,
    TRIGGER_HOURS,
    WORKER_CORES,
    crossing,
    dollars_of_a_run,
    loading,
    measured_crossing,
    month,
    needs,
    on_a_new_cluster,
    records_in,
    run,
    seconds_until_mysql_is_full,
    slot,
)

_ANSWERS = """
**1 job an hour** of 10,000 records or fewer: what the set-up makes, idle nearly always. ${one} a month,
${bare} without Synapse.

**100 jobs an hour** of 10,000 records: the same set-up, with {instances} instance at work; ${hundred} in
the first month. Synapse's one load at a time (assumed: {load}) is the first limit: {loads} used, full at
{most_loads} jobs an hour.

**100 large jobs an hour**: {runs_needed} Spark runs at once. Today's {runs} take {most_runs} an hour, and
at a million records each `load_gold` takes {most_large_loads}.

**10,000 jobs an hour** of 10,000 records: {many_instances} instances, {processes} processes of the API,
{cores} cores of MySQL, and no Synapse, which would have to be {too_slow:,.0f} times as quick. No request
limit of Azure's is near. Storage ends it: {bronze} of Bronze an hour, MySQL's largest disk full in {full};
${many} in the first month.

**One dataset of 10^6 records**: a run of {million} for ${million_dollars:,.2f}, **after up to {trigger}
hours of waiting** for the pipeline's trigger. 10^7 is the service's own limit. 10^8 and 10^9 are refused;
if Spark goes on as measured up to 10^6, 10^8 would take {hundred_millions} on {few_cores} cores and 10^9
{milliard} on {all_cores}. MySQL can't follow there.

**The two paths cross** at about {measured} records on one machine, Spark warm. On Azure, where a cluster
takes minutes to start, the small path stays the quicker one up to {cold}, and its memory ends sooner: at
about {memory} with {threads} jobs on an instance. The threshold of 10,000 is below all of these.
"""


def answers() -> str:
    """The page's first screen."""
    small, large = costs.RECORDS_OF_SMALL, costs.RECORDS_OF_LARGE
    hundred, many = needs(100, small), needs(10_000, small)
    one = month(1, small)
    answered = _ANSWERS.format(
        one=text.dollars(one),
        bare=text.dollars({name: dollars for name, dollars in one.items() if "Synapse" not in name}),
        instances=hundred.instances,
        hundred=text.dollars(month(100, small)),
        loads=text.share(loading(100, small)),
        most_loads=text.rounded(1 / loading(1, small)),
        runs_needed=needs(100, large).runs,
        runs=RUNS,
        most_runs=text.rounded(RUNS / slot(large) * HOUR),
        most_large_loads=text.rounded(1 / loading(1, large)),
        many_instances=many.instances,
        processes=many.api_processes,
        cores=many.mysql_cores,
        too_slow=loading(10_000, small),
        bronze=text.size(10_000 * small * costs.BRONZE_BYTES_A_RECORD),
        full=text.time(seconds_until_mysql_is_full(10_000, small)),
        many=text.dollars(month(10_000, small)),
        million=text.time(run(10**6)),
        million_dollars=dollars_of_a_run(10**6, 1),
        trigger=TRIGGER_HOURS,
        hundred_millions=text.time(run(10**8)),
        milliard=text.time(run(10**9, MOST_WORKERS)),
        few_cores=WORKER_CORES,
        all_cores=WORKER_CORES * MOST_WORKERS,
        measured=text.rounded(measured_crossing()),
        cold=text.rounded(crossing(PANDAS, on_a_new_cluster())),
        memory=text.rounded(records_in(costs.INSTANCE_GB / INSTANCE_THREADS)),
        threads=INSTANCE_THREADS,
        load=text.time(costs.WAREHOUSE_SECONDS_OF_SMALL),
    )
    return "\n".join(
        fill(
            " ".join(answer.split()), 118, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False
        )
        for answer in answered.split("\n\n")
    )
