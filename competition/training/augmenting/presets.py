"""Augmentation pipelines by name, as plain values in the form in which a team writes its own."""

from typing import Any

from competition.config.augmentation import CLASS_NAME, AugmentConfig, Engine, Transforms


def pipeline_entries(config: AugmentConfig) -> Transforms:
    """The transforms of `config.pipeline`, a list or the name of a preset, for `config.engine`."""
    if not isinstance(config.pipeline, str):
        return config.pipeline
    if config.pipeline == "basic":
        return _basic(config)
    return _ALBUMENTATIONS[config.pipeline] if config.engine is Engine.ALBUMENTATIONS else _TORCHVISION[config.pipeline]


def entry(name: str, **arguments: Any) -> dict[str, Any]:
    """A transform as plain values."""
    return {CLASS_NAME: name, **arguments}


def _basic(config: AugmentConfig) -> Transforms:
    if config.engine is Engine.ALBUMENTATIONS:
        return [
            entry("HorizontalFlip", p=config.horizontal_flip),
            entry("VerticalFlip", p=config.vertical_flip),
            entry(
                "RandomBrightnessContrast",
                brightness_limit=config.brightness,
                contrast_limit=config.contrast,
                p=config.brightness_contrast,
            ),
        ]
    light = entry("ColorJitter", brightness=config.brightness, contrast=config.contrast)
    return [
        entry("RandomHorizontalFlip", p=config.horizontal_flip),
        entry("RandomVerticalFlip", p=config.vertical_flip),
        _sometimes(config.brightness_contrast, light),
    ]


def _one_of(p: float, *transforms: dict[str, Any]) -> dict[str, Any]:
    return entry("OneOf", transforms=list(transforms), p=p)


def _sometimes(p: float, *transforms: dict[str, Any]) -> dict[str, Any]:
    """All of these transforms or none, for torchvision."""
    return entry("RandomApply", transforms=list(transforms), p=p)


_FLIP = entry("HorizontalFlip", p=0.5)
_BOTH_FLIPS = [_FLIP, entry("VerticalFlip", p=0.5)]
_LIGHT = entry("RandomBrightnessContrast", brightness_limit=0.2, contrast_limit=0.2, p=0.5)

_ALBUMENTATIONS: dict[str, Transforms] = {
    "none": [],
    "flips": _BOTH_FLIPS,
    # The horizon stays level and the sky at the top; distance, light and weather change.
    "street": [
        _FLIP,
        entry("Affine", scale=[0.8, 1.4], keep_ratio=True, translate_percent=[-0.05, 0.05], rotate=[-4, 4], p=0.6),
        _LIGHT,
        entry("HueSaturationValue", hue_shift_limit=8, sat_shift_limit=25, val_shift_limit=0, p=0.3),
        entry("RandomGamma", gamma_limit=[70, 140], p=0.2),
        _one_of(
            0.2,
            entry("MotionBlur", blur_limit=[3, 5], allow_shifted=False),
            entry("GaussNoise", std_range=[0.01, 0.05]),
            entry("ImageCompression", quality_range=[50, 90]),
        ),
    ],
    # Soft tissue bends, and the light of a scanner or microscope drifts; colour has a meaning and stays.
    "medical": [
        *_BOTH_FLIPS,
        entry("Affine", scale=[0.85, 1.15], rotate=[-30, 30], p=0.5),
        _one_of(
            0.4,
            entry("ElasticTransform", alpha=40, sigma=6),
            entry("GridDistortion", num_steps=5, distort_limit=0.2),
            entry("OpticalDistortion", distort_limit=0.2),
        ),
        _one_of(0.6, entry("RandomGamma", gamma_limit=[70, 140]), _LIGHT, entry("CLAHE", clip_limit=[1, 3])),
        _one_of(0.2, entry("GaussianBlur", sigma_limit=[0.3, 1.2]), entry("GaussNoise", std_range=[0.01, 0.05])),
    ],
    # No direction is up; height, season and haze change.
    "aerial": [
        *_BOTH_FLIPS,
        entry("Affine", scale=[0.75, 1.33], rotate=[-180, 180], p=0.7),
        _LIGHT,
        entry("HueSaturationValue", hue_shift_limit=12, sat_shift_limit=30, val_shift_limit=0, p=0.4),
        _one_of(0.2, entry("GaussianBlur", sigma_limit=[0.3, 1.2]), entry("RandomShadow", shadow_roi=[0, 0, 1, 1])),
    ],
    # Strong changes of every kind, for long training on little data.
    "heavy": [
        _FLIP,
        entry("Affine", scale=[0.6, 1.6], translate_percent=[-0.1, 0.1], rotate=[-20, 20], shear=[-8, 8], p=0.8),
        _one_of(
            0.4,
            entry("Perspective", scale=[0.03, 0.1]),
            entry("ElasticTransform", alpha=60, sigma=8),
            entry("GridDistortion", num_steps=5, distort_limit=0.3),
        ),
        entry("ColorJitter", brightness=0.35, contrast=0.35, saturation=0.35, hue=0.06, p=0.8),
        _one_of(
            0.4,
            entry("MotionBlur", blur_limit=[3, 7], allow_shifted=False),
            entry("GaussianBlur", sigma_limit=[0.3, 2]),
            entry("GaussNoise", std_range=[0.02, 0.1]),
            entry("ImageCompression", quality_range=[30, 80]),
        ),
        entry(
            "CoarseDropout", num_holes_range=[1, 4], hole_height_range=[0.05, 0.2], hole_width_range=[0.05, 0.2], p=0.3
        ),
    ],
}

_RANDOM_FLIP = entry("RandomHorizontalFlip", p=0.5)
_RANDOM_FLIPS = [_RANDOM_FLIP, entry("RandomVerticalFlip", p=0.5)]
_JITTER = _sometimes(0.5, entry("ColorJitter", brightness=0.2, contrast=0.2))
_BLUR = entry("GaussianBlur", kernel_size=5, sigma=[0.3, 1.2])

_TORCHVISION: dict[str, Transforms] = {
    "none": [],
    "flips": _RANDOM_FLIPS,
    "street": [
        _RANDOM_FLIP,
        _sometimes(0.6, entry("RandomAffine", degrees=4, translate=[0.05, 0.05], scale=[0.8, 1.4])),
        _JITTER,
        _sometimes(0.3, entry("ColorJitter", saturation=0.25, hue=0.03)),
        _sometimes(0.2, _BLUR),
    ],
    "medical": [
        *_RANDOM_FLIPS,
        _sometimes(0.5, entry("RandomAffine", degrees=30, scale=[0.85, 1.15])),
        _sometimes(0.4, entry("ElasticTransform", alpha=30.0, sigma=4.0)),
        _JITTER,
        _sometimes(0.2, _BLUR),
    ],
    "aerial": [
        *_RANDOM_FLIPS,
        _sometimes(0.7, entry("RandomAffine", degrees=180, scale=[0.75, 1.33])),
        _JITTER,
        _sometimes(0.4, entry("ColorJitter", saturation=0.3, hue=0.05)),
        _sometimes(0.2, _BLUR),
    ],
    "heavy": [
        _RANDOM_FLIP,
        _sometimes(0.8, entry("RandomAffine", degrees=20, translate=[0.1, 0.1], scale=[0.6, 1.6], shear=8)),
        _sometimes(
            0.4,
            entry(
                "RandomChoice",
                transforms=[
                    entry("RandomPerspective", distortion_scale=0.2, p=1.0),
                    entry("ElasticTransform", alpha=40.0, sigma=4.0),
                ],
            ),
        ),
        _sometimes(0.8, entry("ColorJitter", brightness=0.35, contrast=0.35, saturation=0.35, hue=0.06)),
        _sometimes(0.3, entry("GaussianBlur", kernel_size=7, sigma=[0.3, 2.0])),
        entry("RandomPosterize", bits=5, p=0.1),
    ],
}
