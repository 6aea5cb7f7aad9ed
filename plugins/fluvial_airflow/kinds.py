"""The kinds of DAG that a use case has: deploy, generate_data, health, teardown."""

from datetime import UTC, datetime
from typing import Final

from airflow.sdk import DAG, Param

from fluvial.plan.steps import GENERATION_INPUTS, plan_deployment, plan_generation, plan_health, plan_teardown
from fluvial_airflow.operators.confirm import ConfirmOperator
from fluvial_airflow.render import render_plan
from fluvial_airflow.use_cases import LoadedUseCase

_START: Final = datetime(2026, 1, 1, tzinfo=UTC)
_MODES: Final = {
    "seed": "rows of every table, once",
    "generate": "a steady trickle for some seconds",
    "burst": "inserts, updates and deletes as fast as possible",
}


def deploy_dag(loaded: LoadedUseCase) -> DAG:
    """From nothing to a running, healthy stream; may be triggered again at any time."""
    with _dag(loaded, "deploy", "Bring everything that the use case needs into being, and start the stream.") as dag:
        render_plan(plan_deployment(loaded.use_case), loaded.path)
    return dag


def generate_data_dag(loaded: LoadedUseCase) -> DAG:
    """Writes rows into the source database, some of them deliberately wrong."""
    with _dag(loaded, "generate_data", "Write rows into the source database.", params=_generation_params()) as dag:
        # A parameter left empty is None, which Jinja would write as a word.
        inputs = {name: f"{{{{ '' if params.{name} is none else params.{name} }}}}" for name in GENERATION_INPUTS}
        plan = tuple(step.with_inputs(inputs) for step in plan_generation(loaded.use_case))
        render_plan(plan, loaded.path)
    return dag


def health_dag(loaded: LoadedUseCase) -> DAG:
    """Looks at the stream every five minutes; paused until somebody wants that, as there is nothing before a deploy."""
    with _dag(loaded, "health", "Look at every part of the stream.", schedule="*/5 * * * *", is_paused=True) as dag:
        render_plan(plan_health(loaded.use_case), loaded.path)
    return dag


def teardown_dag(loaded: LoadedUseCase) -> DAG:
    """Stops the stream and drops its tables, topics and source, once the name of the use case has been typed."""
    name = loaded.use_case.name
    explanation = f"Type {name} to stop its stream and drop its topics, its source database and its lake tables."
    params = {"confirm": Param("", type="string", title="Name of the use case", description=explanation)}
    with _dag(loaded, "teardown", "Stop the stream and drop everything it made.", params=params) as dag:
        confirm = ConfirmOperator(task_id="confirm", expected=name, typed="{{ params.confirm }}")
        plan = plan_teardown(loaded.use_case)
        tasks = render_plan(plan, loaded.path)
        for step in plan:
            if not step.upstream:
                confirm.set_downstream(tasks[step.id])
    return dag


def _dag(
    loaded: LoadedUseCase,
    kind: str,
    description: str,
    *,
    schedule: str | None = None,
    is_paused: bool | None = None,
    params: dict[str, Param] | None = None,
) -> DAG:
    tables = "\n".join(f"- `{table.name}` from topic `{table.topic}`" for table in loaded.use_case.tables)
    return DAG(
        dag_id=f"{loaded.use_case.name}__{kind}",
        description=description,
        doc_md=f"{description}\n\nTables of `{loaded.use_case.name}`:\n\n{tables}\n",
        start_date=_START,
        schedule=schedule,
        catchup=False,
        max_active_runs=1,
        is_paused_upon_creation=is_paused,
        params=params or {},
        tags=["fluvial", loaded.use_case.name],
    )


def _generation_params() -> dict[str, Param]:
    defaults = GENERATION_INPUTS
    return {
        "mode": Param(
            defaults["mode"],
            type="string",
            enum=list(_MODES),
            description="; ".join(f"{mode}: {meaning}" for mode, meaning in _MODES.items()),
        ),
        "rows": Param(
            None,
            type=["null", "integer"],
            minimum=1,
            description="How many rows in all (seed) or changes (burst); empty: as the scenario says.",
        ),
        "seconds": Param(int(defaults["seconds"]), type="integer", minimum=1, description="How long (generate)."),
        "seed": Param(int(defaults["seed"]), type="integer", minimum=0, description="The same seed, the same rows."),
    }
