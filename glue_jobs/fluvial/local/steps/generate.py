"""GENERATE: the scenario beside tables.yaml, written into the source."""

from collections.abc import Mapping

from fluvial.config.model import UseCase
from fluvial.errors import FluvialError
from fluvial.generate.load import load_scenario
from fluvial.local.endpoints import read_endpoints
from fluvial.local.generation import GenerationRequest, Mode, generate_rows
from fluvial.local.home import Home
from fluvial.local.use_case_files import scenario_path, tables_path
from fluvial.plan.steps import Step


def generate(step: Step, use_case: UseCase, home: Home) -> dict[str, object]:
    """Writes rows and counts them; `rows` sizes seed and burst, `seconds` bounds generate."""
    request = read_request(step.inputs)
    scenario = load_scenario(scenario_path(tables_path(use_case, step.inputs)), use_case)
    summary = generate_rows(use_case, scenario, read_endpoints(home), request)
    return {"mode": request.mode.value, "seed": request.seed, **summary.as_json(tuple(scenario.tables))}


def read_request(inputs: Mapping[str, str]) -> GenerationRequest:
    """What the step's inputs, which are texts, ask for."""
    try:
        mode = Mode(inputs.get("mode") or Mode.SEED.value)
        is_paced = mode is Mode.GENERATE
        return GenerationRequest(
            mode=mode,
            seed=int(inputs.get("seed") or 42),
            rows=None if is_paced or not inputs.get("rows") else int(inputs["rows"]),
            seconds=float(inputs["seconds"]) if is_paced and inputs.get("seconds") else None,
            with_violations=inputs.get("violations", "true").lower() != "false",
        )
    except ValueError as error:
        raise FluvialError(
            f"wrong input of step generate: {error}", "mode is seed, generate or burst; rows, seconds, seed are numbers"
        ) from error
