"""Names of the tags of runs and model versions, each once.

A version also carries the fields of `registry.Candidate`, the tags of its comparison and those of its metrics.
"""

from __future__ import annotations

from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID, MLFLOW_RUN_NOTE

PARENT_TAG, NOTE_TAG = MLFLOW_PARENT_RUN_ID, MLFLOW_RUN_NOTE  # MLflow's own

# Runs of steps.
STEP_TAG = "pipeline.step"
FINGERPRINT_TAG = "pipeline.fingerprint"
PROCESS_TAG = "pipeline.process"
REUSED_TAG = "pipeline.reused"  # followed by the name of the step
CONTINUES_TAG, CONTINUED_BY_TAG = "pipeline.continues", "pipeline.continued_by"
STOPPED_BY_TAG = "stopped_by"
EXIT_CODE_TAG = "exit_code"  # of a step that failed, with the reason in ERROR_TAG

# Runs of trials.
STUDY_TAG = "optuna.study"  # also on the tune run
TRIAL_NUMBER_TAG = "optuna.trial_number"
STATE_TAG = "optuna.state"
INTERRUPTED = "INTERRUPTED"  # the state of a run that ended although its trial can be continued
FIRST_PARENT_TAG = "pipeline.first_parent"
ERROR_TAG = "error"  # also on the run of a step

# Runs and versions with data.
DATASET_DIGEST_TAG = "dataset_digest"
MEMBERS_TAG = "members"  # of an ensemble: JSON, trial number -> weight

# Model versions. Times are UTC, ISO 8601.
STATUS_TAG, REASON_TAG = "validation_status", "validation_reason"
PROMOTION_TAG, PROMOTION_REASON_TAG = "promotion", "promotion_reason"
SINCE_TAG, UNTIL_TAG, SUCCESSOR_TAG = "champion_since", "champion_until", "successor"
FORMER_TAG = "former_champions"  # JSON list of versions, the latest first
