"""
The numbers of the corridor: how many boats, who sees them, how well, and how late it is told.

``docs/simulator.md`` gives the source of each.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Corridor:
    """
    What nights are made with. Kilometres, knots, seconds; shares and probabilities from 0 to 1; a mean is that of a Poisson law.
    """

    # Boats that cross, and how.
    calm_share: float = 0.8
    crossings: float = 3.75
    convoy_share: float = 0.4
    convoy_gap_s: tuple[float, float] = (60.0, 420.0)
    convoy_side_km: float = 0.6
    speed_kn: tuple[float, float, float] = (8.0, 12.0, 22.0)
    detour_km: float = 3.0
    stop_share: float = 0.2
    turned_back_share: float = 0.08
    intercepted_share: float = 0.6
    persons: tuple[float, float, float] = (8.0, 45.0, 24.0)
    marked_share: float = 0.15

    # Boats that do not.
    pirogues: float = 5.0
    local_boats: float = 1.5
    dhow_share: float = 0.35
    ferry_share: float = 0.3

    # Coastal radar.
    radar_range_km: tuple[float, float] = (18.0, 5.0)
    radar_accuracy_m: tuple[float, float] = (200.0, 500.0)
    radar_every_s: float = 1_500.0
    radar_plots: int = 4
    radar_least_kn: float = 5.3
    radar_acquires: float = 0.85
    radar_renumbers: float = 0.15
    radar_clutter: float = 0.4

    # Aircraft.
    sortie_share: float = 0.45
    sortie_s: float = 9_000.0
    aircraft_sees: float = 0.6
    aircraft_looks_again: float = 0.25
    aircraft_radio_share: float = 0.3
    aircraft_accuracy_m: tuple[float, float] = (200.0, 1_000.0)
    aircraft_clock_wrong: float = 0.25
    clock_ahead_s: float = 3_600.0

    # Fishermen.
    fisherman_sees_km: float = 4.0
    fisherman_tells: float = 0.6
    fisherman_late_s: tuple[float, float] = (3_000.0, 1.1)
    fisherman_calls_again: float = 0.12
    fisherman_overconfident: float = 0.1

    # The post on the shore of Anjouan.
    lookout_sees: float = 0.35
    lookout_retells: float = 0.25
    rumours: float = 0.15

    # Coast guard.
    interception_late_s: tuple[float, float] = (3_600.0, 28_800.0)
    corrected_share: float = 0.15
    inspects_share: float = 0.08

    # The centre that broadcasts what others told it.
    rebroadcasts: float = 0.25
    rebroadcast_says_so: float = 0.6
    rebroadcast_late_s: tuple[float, float] = (7_200.0, 0.7)
    miscopied_share: float = 0.05

    # Those who tell, and the way that it takes.
    colour_unsure: float = 0.15
    silence_nights: int = 9
    silence_after: int = 14


SKEW_WAIT_S: float = 4_200.0
"""
A report whose clock is an hour ahead comes no sooner than this after it was seen.

Come sooner, it would lie in the future of the bus, which refuses it: this error does harm only where delay hides it.
"""
