"""The boundary table: for every rule, facts that are just bad, just good, and (by the tests) unknown.

BOUNDARY[rule] = list of (level or None for the rule's own, facts laid over a permit that passes, expected result).
Times are minutes relative to the moment of judgement, written as ("min", n); dates as ("day", n).
"""

from __future__ import annotations

F, C, P, N = "fail", "conditional", "pass", "pending"


def m(minutes: float) -> tuple[str, float]:
    return ("min", minutes)


def day(days: int) -> tuple[str, int]:
    return ("day", days)


def flag(name: str, bad: object, good: object, result: str = F, **fixed: object) -> list:
    return [(None, {**fixed, name: bad}, result), (None, {**fixed, name: good}, P)]


def steps(name: str, points: dict, **fixed: object) -> list:
    return [(None, {**fixed, name: value}, result) for value, result in points.items()]


BOUNDARY: dict[str, list] = {
    # general
    "G-001": [*flag("ticket_status", "submitted", "approved"), (None, {"ticket_status": None}, F)],
    "G-002": flag("guardian_id", None, "u1"),
    "G-003": [
        *flag("guardian_training_passed", False, True),
        *flag("guardian_cert_no", None, "C-1"),
        (None, {"guardian_cert_no": ""}, F),
    ],
    "G-004": [
        (None, {"end_time": m(240), "guardian_cert_expiry": m(239)}, F),
        (None, {"end_time": m(240), "guardian_cert_expiry": m(240)}, P),
        (None, {"end_time": m(240), "guardian_cert_expiry": m(241)}, P),
        (None, {"end_time": m(240), "guardian_cert_expiry": None}, P),
    ],
    "G-005": [
        *steps("guardian_active_sites", {0: P, 1: P, 2: F}),
        (None, {"guardian_id": "u1", "worker_ids": ["u1", "u2"]}, F),
        (None, {"guardian_id": "u1", "worker_ids": ["u2"]}, P),
    ],
    "G-006": flag("guardian_on_site", False, True),
    "G-007": flag("approver_on_site", False, True, C),
    "G-008": steps("approver_rank", {2: F, 3: P, 4: P}, required_rank=3),
    "G-009": flag("jsa_done", False, True),
    "G-010": flag("briefing_done", False, True),
    "G-011": [
        *flag("operator_cert_valid", False, True, operator_cert_required=True),
        (None, {"operator_cert_required": False, "operator_cert_valid": False}, P),
    ],
    "G-012": [
        (None, {"valid_to": m(1)}, P),
        (None, {"valid_to": m(0)}, P),
        (None, {"valid_to": m(-1)}, F),
    ],
    "G-013": [
        *flag("condition_changed", True, False),
        *flag("place_changed", True, False),
        *flag("scope_changed", True, False),
    ],
    "G-014": [
        (None, {"involved_works": ["hot_work", "confined_space"], "tickets_held": ["hot_work"]}, F),
        (None, {"involved_works": ["hot_work"], "tickets_held": ["hot_work", "temp_power"]}, P),
        (None, {"involved_works": [], "tickets_held": []}, P),
    ],
    "G-015": [
        *flag("coordinator_id", None, "u9", cross_work=True),
        (None, {"cross_work": False, "coordinator_id": None}, P),
    ],
    "G-016": flag("measures_confirmed", False, True),
    "G-017": flag("energy_isolated", False, True),
    "G-018": [
        *steps("flush_water_distance", {29.9: P, 30: P, 30.1: F, "none": F}, corrosive_medium=True),
        (None, {"corrosive_medium": False, "flush_water_distance": 99}, P),
    ],
    "G-019": [
        (None, {"detector_calibration_expiry": m(-1)}, F),
        (None, {"detector_calibration_expiry": m(0)}, P),
        (None, {"detector_calibration_expiry": day(0)}, P),
        (None, {"detector_calibration_expiry": day(-1)}, F),
    ],
    "G-020": flag("abnormal_unit_state", True, False),
    # hot work: grading
    "HW-G01": [
        *flag("stopped_unit_waiver", False, True, in_hazard_area=True),
        (None, {"in_hazard_area": False, "stopped_unit_waiver": False}, P),
    ],
    "HW-G02": [
        *flag("on_running_equipment", True, False, in_hazard_area=True),
        (None, {"in_hazard_area": False, "on_running_equipment": True}, P),
    ],
    "HW-G03": [
        *flag("flammable_stored", True, False, in_major_hazard_dike=True),
        (None, {"in_major_hazard_dike": False, "flammable_stored": True}, P),
    ],
    "HW-G04": flag("on_pipe_rack", True, False),
    "HW-G05": [
        *flag("waiver_approver_role", "shift_leader", "production_head", stopped_unit_waiver=True),
        (None, {"stopped_unit_waiver": True, "waiver_approver_role": "safety_head"}, P),
        (None, {"stopped_unit_waiver": False, "waiver_approver_role": "shift_leader"}, P),
    ],
    "HW-G06": [
        *flag("is_holiday", True, False, upgraded=False),
        *flag("is_rest_day", True, False, upgraded=False),
        *flag("is_night", True, False, upgraded=False),
        (None, {"is_night": True, "upgraded": True}, P),
    ],
    "HW-G07": flag("in_fixed_hot_zone", True, False, C),
    "HW-G08": flag("in_absolute_ban_zone", True, False),
    "HW-G09": steps("valid_hours", {7.99: P, 8: P, 8.01: F}),
    "HW-G10": steps("valid_hours", {71.9: P, 72: P, 72.1: F}),
    # hot work: gas
    "HW-A01": flag("last_analysis_time", None, m(0)),
    "HW-A02": [
        (None, {"last_analysis_time": m(-29)}, P),
        (None, {"last_analysis_time": m(-30)}, P),
        (None, {"last_analysis_time": m(-30.1)}, F),
        (None, {"last_analysis_time": m(-31)}, F),
        (None, {"last_analysis_time": m(-20), "start_time": m(10)}, P),
        (None, {"last_analysis_time": m(-20), "start_time": m(11)}, F),
    ],
    "HW-A03": [
        *steps("gas_reading_vol", {0.49: P, 0.5: P, 0.51: F}, gas_lel_vol=5.0),
        *steps("gas_reading_vol", {0.5: P, 0.55: F}, gas_lel_vol=4.0),
        (None, {"gas_reading_vol": 0.51, "gas_lel_vol": 3.99}, P),
    ],
    "HW-A04": [
        *steps("gas_reading_vol", {0.19: P, 0.2: P, 0.21: F}, gas_lel_vol=1.1),
        (None, {"gas_reading_vol": 0.21, "gas_lel_vol": 3.99}, F),
        (None, {"gas_reading_vol": 0.21, "gas_lel_vol": 4.0}, P),
    ],
    "HW-A05": [
        *steps("interrupt_minutes", {29: P, 30: P, 31: F}, analysed_after_interrupt=False),
        ("special", {"interrupt_minutes": 31, "analysed_after_interrupt": False}, F),
        (None, {"interrupt_minutes": 31, "analysed_after_interrupt": True}, P),
    ],
    "HW-A06": [
        *steps("interrupt_minutes", {59: P, 60: P, 61: F}, analysed_after_interrupt=False),
        (None, {"interrupt_minutes": 61, "analysed_after_interrupt": True}, P),
    ],
    "HW-A07": [(None, {"last_analysis_date": day(-1)}, F), (None, {"last_analysis_date": day(0)}, P)],
    "HW-A08": flag("continuous_monitoring", False, True),
    "HW-A09": [
        *flag("inside_equipment_analysed", False, True, on_equipment_wall=True),
        (None, {"on_equipment_wall": False, "inside_equipment_analysed": False}, P),
    ],
    "HW-A10": steps("sample_max_distance", {9.9: P, 10: P, 10.1: C}),
    "HW-A11": [
        (None, {"large_equipment": True, "sample_positions": ["top", "bottom"]}, C),
        (None, {"large_equipment": True, "sample_positions": ["top", "middle", "bottom"]}, P),
        (None, {"large_equipment": True, "sample_positions": ["top", "top", "top"]}, C),
        (None, {"large_equipment": False, "sample_positions": []}, P),
    ],
    "HW-A12": [
        *steps("oxygen_vol", {23.4: P, 23.5: P, 23.6: F}, oxygen_service=True),
        (None, {"oxygen_service": False, "oxygen_vol": 24}, P),
    ],
    "HW-A13": [
        *steps("trend3h_max_vol", {0.49: P, 0.5: P, 0.51: F}, limit_vol=0.5),
        *steps("trend3h_max_vol", {0.2: P, 0.21: F}, limit_vol=0.2),
    ],
    "HW-A14": steps("trend3h_count", {0: C, 1: P}),
    "HW-A15": [
        *steps("trend3h_last_vol", {0.24: P, 0.25: P, 0.26: C}, limit_vol=0.5, trend3h_slope=0.01),
        *steps("trend3h_slope", {-0.01: P, 0: P, 0.01: C}, limit_vol=0.5, trend3h_last_vol=0.4),
    ],
    "HW-A16": flag("alarm_active", True, False),
    # hot work: conditions
    "HW-C01": [
        *steps(
            "isolation_method",
            {"valve": F, "water_seal": F, "none": F, "blind": P, "spool_removed": P},
            contained_hazard=True,
        ),
        (None, {"contained_hazard": False, "isolation_method": "valve"}, P),
    ],
    "HW-C02": steps("gas_vent_distance", {29: F, 29.9: F, 30: P, 31: P, "none": P}),
    "HW-C03": steps("liquid_drain_distance", {14.9: F, 15: P, 15.1: P, "none": P}),
    "HW-C04": [
        *steps("solvent_work_distance", {9.9: F, 10: P, 10.1: P, "none": P}),
        *flag("solvent_work_vertical", True, False),
    ],
    "HW-C05": steps("dust_sweep_distance", {9.9: F, 10: P, 10.1: P}),
    "HW-C06": [
        *steps("leak_source_distance", {14.9: F, 15: P, 15.1: P}, leak_source_isolated=False),
        (None, {"leak_source_distance": 3, "leak_source_isolated": True}, P),
    ],
    "HW-C07": [
        *flag("drains_covered", False, True, drains_nearby=True),
        (None, {"drains_nearby": False, "drains_covered": False}, P),
    ],
    "HW-C08": steps("cylinder_gap", {4.9: F, 5: P, 5.1: P}),
    "HW-C09": steps("cylinder_fire_distance", {9.9: F, 10: P, 10.1: P}),
    "HW-C10": [*flag("acetylene_upright", False, True), *flag("flashback_arrestor", False, True)],
    "HW-C11": [
        *steps("welder_distance", {9.9: P, 10: P, 10.1: C, "none": P}, welder_as_fire_point=False),
        (None, {"welder_distance": 30, "welder_as_fire_point": True}, P),
    ],
    "HW-C12": [
        *steps("wind_force", {4: P, 5: F, 6: F}, outdoor=True, upgraded=False),
        (None, {"outdoor": False, "wind_force": 6, "upgraded": False}, P),
        (None, {"outdoor": True, "wind_force": 6, "upgraded": True}, P),
    ],
    "HW-C13": [
        *flag("draining_or_sampling", True, False, in_tank_dike=True),
        (None, {"in_tank_dike": False, "draining_or_sampling": True}, P),
    ],
    "HW-C14": steps("blind_plate_distance", {29.9: F, 30: P, 30.1: P}),
    "HW-C15": [
        *steps("rail_distance", {24.9: F, 25: P, 25.1: P}, dg_train_present=True),
        (None, {"rail_distance": 5, "dg_train_present": False}, P),
    ],
    "HW-C16": [*flag("video_recording", False, True), *flag("camera_ex_proof", False, True)],
    "HW-C17": flag("work_plan_approved", False, True),
    "HW-C18": flag("micro_positive_pressure", False, True),
    "HW-C19": flag("thermal_decomposition_material", True, False),
    "HW-C20": [
        *flag("unit_stable", False, True, under_pressure_unpurged=True),
        (None, {"under_pressure_unpurged": False, "unit_stable": False}, P),
    ],
    "HW-C21": flag("fire_equipment_ready", False, True),
    "HW-C22": [
        *flag("residual_fire_checked", False, True, closing=True),
        (None, {"closing": False, "residual_fire_checked": False}, P),
    ],
    "HW-C23": flag("shift_leader_checked", False, True),
    # confined space
    "CS-001": steps("valid_hours", {23.9: P, 24: P, 24.1: F}),
    "CS-002": [
        (None, {"last_analysis_time": m(-29)}, P),
        (None, {"last_analysis_time": m(-30)}, P),
        (None, {"last_analysis_time": m(-31)}, F),
        (None, {"last_analysis_time": m(-20), "entry_time": m(11)}, F),
    ],
    "CS-003": steps("oxygen_vol", {19.4: F, 19.5: P, 19.6: P}),
    "CS-004": [
        *steps("oxygen_vol", {20.9: P, 21.0: P, 21.1: F}, oxygen_rich_setting=False),
        (None, {"oxygen_vol": 22, "oxygen_rich_setting": True}, P),
    ],
    "CS-005": steps("oxygen_vol", {23.4: P, 23.5: P, 23.6: F}),
    "CS-006": [
        *steps("toxic_ratio", {0.99: P, 1: P, 1.01: F}),
        (None, {"toxic_readings": [{"medium": "硫化氢", "value": 10, "unit": "mg/m³"}]}, P),
        (None, {"toxic_readings": [{"medium": "硫化氢", "value": 11, "unit": "mg/m³"}]}, F),
    ],
    "CS-007": [
        *steps("gas_reading_vol", {0.5: P, 0.51: F}, gas_lel_vol=4.0),
        *steps("gas_reading_vol", {0.19: P, 0.2: P, 0.21: F}, gas_lel_vol=3.9),
    ],
    "CS-008": [
        *steps("interrupt_minutes", {59: P, 60: P, 61: F}, analysed_after_interrupt=False),
        (None, {"interrupt_minutes": 61, "analysed_after_interrupt": True}, P),
    ],
    "CS-009": flag("continuous_monitoring", False, True),
    "CS-010": steps("minutes_since_record", {119: P, 120: P, 121: C}),
    "CS-011": flag("alarm_active", True, False),
    "CS-012": steps("isolation_method", {"valve": F, "water_seal": F, "none": F, "blind": P, "spool_removed": P}),
    "CS-013": [
        *flag("power_locked", False, True, has_rotating_part=True),
        (None, {"has_rotating_part": False, "power_locked": False}, P),
    ],
    "CS-014": flag("ventilated_first", False, True),
    "CS-015": flag("pure_oxygen_used", True, False),
    "CS-016": flag("guardian_inside", True, False),
    "CS-017": flag("entry_register_complete", False, True, C),
    "CS-018": [
        *flag("supplied_air", False, True, sludge_cleaning=True),
        (None, {"sludge_cleaning": False, "supplied_air": False}, P),
    ],
    "CS-019": [
        *steps("lighting_voltage", {24: P, 36: P, 36.1: F}, wet_or_narrow=False),
        *steps("lighting_voltage", {11: P, 12: P, 12.1: F}, wet_or_narrow=True),
    ],
    "CS-020": [
        *flag("coating_inside", True, False, hot_work_inside=True),
        (None, {"hot_work_inside": False, "coating_inside": True}, P),
    ],
    "CS-021": flag("rescue_gear_ready", False, True),
    # blind plate
    "BP-001": flag("line_depressurized", False, True),
    "BP-002": [
        *steps("hot_work_distance", {29.9: F, 30: P, 30.1: P}, in_hazard_area=True),
        (None, {"in_hazard_area": False, "hot_work_distance": 5}, P),
    ],
    "BP-003": [
        *steps("plates_in_ticket", {0: F, 1: P, 2: F}),
        *steps("plate_action", {"insert": P, "remove": P, "both": F}),
    ],
    "BP-004": steps("same_pipe_active", {0: P, 1: P, 2: F}),
    "BP-005": [
        *flag("portable_detector", False, True, toxic_gas_medium=True),
        (None, {"toxic_gas_medium": False, "portable_detector": False}, P),
    ],
    "BP-006": [*flag("plate_drawing", False, True), *flag("plate_tag_match", False, True)],
    # height
    "WH-001": [
        ("I", {"height": 4.9}, P),
        ("I", {"height": 5.0}, P),
        ("I", {"height": 5.1}, F),
        ("II", {"height": 5.1}, P),
        ("II", {"height": 15.0}, P),
        ("II", {"height": 15.1}, F),
        ("III", {"height": 30.0}, P),
        ("III", {"height": 30.1}, F),
        ("IV", {"height": 30.1}, P),
        ("I", {"height": 5.0, "factors": ["frost"]}, F),
        ("II", {"height": 5.0, "factors": ["frost"]}, P),
        ("III", {"height": 5.0, "raining_or_snowing": True}, F),
        ("IV", {"height": 5.0, "raining_or_snowing": True}, P),
        ("I", {"height": 3.0, "factors": ["near_pit"]}, F),
        ("I", {"height": 3.0, "in_hazard_area": True}, F),
        ("II", {"height": 3.0, "in_hazard_area": True}, P),
        ("I", {"height": 3.0, "in_hazard_area": False}, P),
        ("I", {"height": 3.0, "tickets_held": ["confined_space", "work_at_height"]}, F),
        ("II", {"height": 3.0, "tickets_held": ["confined_space", "work_at_height"]}, P),
        ("III", {"height": 3.0, "is_night": True, "outdoor": True}, F),
        ("IV", {"height": 3.0, "is_night": True, "outdoor": True}, P),
        ("I", {"height": 3.0, "is_night": True, "outdoor": False}, P),
        ("I", {"height": 3.0, "is_night": True, "outdoor": None}, N),
        ("I", {"height": 3.0, "is_night": False, "outdoor": True}, P),
        ("II", {"height": 3.0, "factors": ["near_pit"]}, P),
        ("III", {"height": 3.0, "factors": ["something else"]}, N),
    ],
    "WH-002": steps("wind_force", {4: P, 4.9: P, 5: F, 6: F}),
    "WH-003": flag("dense_fog", True, False),
    "WH-004": steps("valid_days", {6.9: P, 7: P, 7.1: F}),
    "WH-005": flag("harness_worn", False, True),
    "WH-006": [
        *steps("height", {29: P, 30: P, 30.1: F}, comms=False),
        (None, {"height": 31, "comms": True}, P),
    ],
    "WH-007": [
        *flag("barrier", False, True, stacked_work=True),
        (None, {"stacked_work": False, "barrier": False}, P),
    ],
    "WH-008": [
        *steps("fall_height", {23.9: P, 24: P, 24.1: F}, stacked_work=True, double_barrier=False),
        (None, {"fall_height": 30, "stacked_work": True, "double_barrier": True}, P),
    ],
    "WH-009": [
        *flag("boards_fixed", False, True, light_roof=True),
        (None, {"light_roof": False, "boards_fixed": False}, P),
    ],
    "WH-010": [
        *flag("anti_slip", False, True, raining_or_snowing=True),
        (None, {"raining_or_snowing": False, "anti_slip": False}, P),
    ],
    # lifting
    "LF-001": [
        ("2", {"mass_t": 100}, P),
        ("2", {"mass_t": 100.1}, F),
        ("1", {"mass_t": 100.1}, P),
        ("2", {"mass_t": 40}, P),
        ("2", {"mass_t": 39.9}, F),
        ("3", {"mass_t": 39.9}, P),
        ("3", {"mass_t": 40}, F),
    ],
    "LF-002": [*flag("plan_approved", False, True), ("1", {"plan_approved": False}, F)],
    "LF-003": [
        *flag("plan_approved", False, True, special_load=True),
        (None, {"special_load": False, "plan_approved": False}, P),
    ],
    "LF-004": [
        *steps("wind_force", {5: P, 6: F, 7: F}, outdoor=True),
        (None, {"outdoor": False, "wind_force": 7}, P),
    ],
    "LF-005": [
        *flag("dense_fog", True, False, outdoor=True),
        *flag("heavy_snow", True, False, outdoor=True),
        *flag("rainstorm", True, False, outdoor=True),
        (None, {"outdoor": False, "rainstorm": True}, P),
    ],
    "LF-006": flag("gear_checked_signed", False, True),
    "LF-007": steps("load_ratio", {0.99: P, 1: P, 1.01: F}),
    "LF-008": [
        *steps("load_ratio", {0.79: P, 0.8: P, 0.81: F}, crane_count=2),
        (None, {"crane_count": 1, "load_ratio": 0.9}, P),
    ],
    "LF-009": flag("trial_lift_ok", False, True),
    "LF-010": flag("people_under_load", True, False),
    "LF-011": flag("mass_known", False, True),
    "LF-012": steps("anchor_type", {"pipe": F, "pipe_rack": F, "pole": F, "machine": F, "anchor": P, "structure": P}),
    "LF-013": flag("lug_weld_checked", False, True, C),
    "LF-014": [
        *steps("mass_t", {9: C, 9.9: C, 10: P}, ticket_status=None),
        (None, {"mass_t": 9, "ticket_status": "approved"}, P),
    ],
    # temporary power
    "TE-001": steps("valid_days", {29: P, 30: P, 30.1: F}, special_reason=True),
    "TE-002": [
        *steps("valid_days", {15: P, 15.1: C}, special_reason=False),
        (None, {"valid_days": 16, "special_reason": True}, P),
    ],
    "TE-003": [
        (None, {"for_work_end": m(240), "valid_to": m(239)}, P),
        (None, {"for_work_end": m(240), "valid_to": m(240)}, P),
        (None, {"for_work_end": m(240), "valid_to": m(241)}, F),
        (None, {"for_work_end": None, "valid_to": m(241)}, P),
    ],
    "TE-004": [
        *flag("gas_ok", False, True, in_hazard_area=True),
        (None, {"in_hazard_area": False, "gas_ok": False}, P),
    ],
    "TE-005": [
        *flag("ex_components", False, True, in_hazard_area=True),
        (None, {"in_hazard_area": False, "ex_components": False}, P),
    ],
    "TE-006": flag("rcd_installed", False, True),
    "TE-007": [
        *flag("upper_switch_locked", False, True, connecting=True),
        (None, {"connecting": False, "upper_switch_locked": False}, P),
    ],
    "TE-008": [
        *steps("overhead_height", {2.4: F, 2.5: P, 2.6: P}, over_road=False),
        *steps("overhead_height", {4.9: F, 5: P, 5.1: P}, over_road=True),
    ],
    "TE-009": steps("buried_depth", {0.6: F, 0.7: P, 0.8: P}),
    # digging, road
    "EX-001": flag("underground_confirmed", False, True),
    "EX-002": [
        *steps("depth", {1.1: P, 1.2: P, 1.3: F}, hazardous_buried=True, confined_ticket=False),
        (None, {"depth": 1.3, "hazardous_buried": True, "confined_ticket": True}, P),
        (None, {"depth": 1.3, "hazardous_buried": False, "confined_ticket": False}, P),
    ],
    "EX-003": [
        *steps("spoil_distance", {0.9: F, 1: P, 1.1: P}, spoil_height=1.0),
        *steps("spoil_height", {1.4: P, 1.5: P, 1.6: F}, spoil_distance=2),
    ],
    "EX-004": [*steps("depth", {1.9: P, 2: P, 2.1: F}, ladder=False), (None, {"depth": 3, "ladder": True}, P)],
    "EX-005": [
        *steps("pipe_distance", {0.9: F, 1: P, 1.1: P}, machine_digging=True),
        (None, {"pipe_distance": 0.5, "machine_digging": False}, P),
    ],
    "EX-006": [
        *steps("cable_distance", {1.9: C, 2: P, 2.1: P}, machine_digging=True),
        (None, {"cable_distance": 0.5, "machine_digging": False}, P),
    ],
    "EX-007": flag("countersigns_missing", True, False),
    "RB-001": flag("traffic_plan", False, True),
    "RB-002": flag("fire_lane_ok", False, True),
    "RB-003": [
        *flag("warning_lamps", False, True, night_or_bad_weather=True),
        (None, {"night_or_bad_weather": False, "warning_lamps": False}, P),
    ],
    # records
    "RC-001": [
        *flag("acceptance_signed", False, True, closing=True),
        (None, {"closing": False, "acceptance_signed": False}, P),
    ],
    "RC-002": steps("ticket_keep_days", {364: F, 365: P, 366: P}),
    "RC-003": steps("video_keep_days", {29: F, 30: P, 31: P}),
}

COMPUTED_WHEN_ABSENT = {
    "closing", "ticket_keep_days", "video_keep_days", "worker_ids", "start_time", "entry_time", "is_night",
}  # fmt: skip
"""Facts that always follow from the time, the stage or the settings; leaving them out is not "unknown"."""

SOURCES = {
    "valid_hours": ("valid_to",),
    "valid_days": ("valid_to",),
    "last_analysis_date": ("last_analysis_time",),
    "limit_vol": ("gas_lel_vol",),
    "upgraded": ("in_hazard_area", "on_pipe_rack", "on_running_equipment", "in_major_hazard_dike"),
    "confined_ticket": ("tickets_held",),
    "gas_ok": ("gas_reading_vol",),
}
"""Facts that follow from others: they are unknown only when those are missing too."""
