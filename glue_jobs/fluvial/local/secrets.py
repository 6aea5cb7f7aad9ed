"""What stands in for AWS Secrets Manager on the local profile: secrets that are made once and kept in the home."""

import os
import secrets

from fluvial.config.model import UseCase
from fluvial.config.secret_references import secret_references
from fluvial.io.secrets import SECRETS_FOLDER, file_of, is_set
from fluvial.local.home import Home
from fluvial.local.state_files import write_state


def provide_secrets(use_case: UseCase, home: Home) -> None:
    """Lets this process find every secret that the use case names; one that isn't set anywhere is made."""
    os.environ[SECRETS_FOLDER] = str(home.secrets)
    for reference in secret_references(use_case):
        file = file_of(home.secrets, reference)
        if not is_set(reference) and not file.exists():
            write_state(file, secrets.token_urlsafe(48))
