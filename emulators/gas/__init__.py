"""Gas systems one can switch: a Modbus TCP controller, an OPC UA server and an HJ 212 data logger of both editions."""

from emulators.gas.hj212 import Logger
from emulators.gas.modbus import ModbusController
from emulators.gas.world import Gas, Trouble

__all__ = ["Gas", "Logger", "ModbusController", "Trouble"]
