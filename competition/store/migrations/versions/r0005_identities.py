"""A configuration's identity is the hash of what differs from the defaults, where it was that of all values."""

import hashlib
import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

DEFAULTS: dict[str, Any] = {
    "seed": 42,
    "data": {"size": "256x256"},
    "model": {"architecture": "Unet", "encoder": "efficientnet-b0", "weights": "imagenet", "channels": 3},
    "augment": {
        "horizontal_flip": 0.5,
        "vertical_flip": 0.0,
        "brightness_contrast": 0.5,
        "brightness": 0.2,
        "contrast": 0.2,
    },
    "loss": {"cross_entropy": 1.0, "dice": 1.0},
    "optimizer": {"name": "adamw", "lr": 0.001, "weight_decay": 0.0001},
    "schedule": {"name": "cosine", "warmup_epochs": 1.0},
    "train": {"epochs": 20, "batch_size": 8, "precision": "auto", "workers": 2},
}
"""Of the configurations whose identity was the hash of all values."""


def upgrade() -> None:
    """Give every configuration that bears its old identity the new one, and let its children name that."""
    new: dict[str, str] = {}
    for table, key in (("experiments", "id"), ("baselines", "version")):
        columns = sa.table(table, sa.column(key), sa.column("config", sa.JSON()), sa.column("config_sha256"))
        for row in op.get_bind().execute(sa.select(columns)).all():
            if row.config_sha256 == _sha256(row.config):
                new[row.config_sha256] = _sha256(_without_defaults(row.config, DEFAULTS))
                changed = columns.update().where(columns.c[key] == row[0])
                op.execute(changed.values(config_sha256=new[row.config_sha256]))
    experiments = sa.table("experiments", sa.column("parent_sha256"))
    for before, now in new.items():
        changed = experiments.update().where(experiments.c.parent_sha256 == before)
        op.execute(changed.values(parent_sha256=now))


def _without_defaults(values: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    left: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict) and isinstance(defaults.get(key), dict):
            inside = _without_defaults(value, defaults[key])
            left |= {key: inside} if inside else {}
        elif key not in defaults or value != defaults[key]:
            left[key] = value
    return left


def _sha256(value: dict[str, Any]) -> str:
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
