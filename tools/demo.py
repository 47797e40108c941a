"""`./anshao demo`: everything with an invented plant, in one command, on this machine only."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path
from time import monotonic, sleep

from tools import demo_gas, stack
from tools.alone import StackError
from tools.embedded import EmbeddedError

FOLDER = stack.ROOT / "data" / "demo"


def ports() -> tuple[int, int]:
    """(app, phones) by ANSHAO_DEMO_PORT. Raises StackError for what is no port."""
    given = os.environ.get("ANSHAO_DEMO_PORT", "") or "8000"
    if not given.isdigit() or not 1024 <= int(given) <= 65534:
        raise StackError(
            f"ANSHAO_DEMO_PORT={given} is no usable port: give a number from 1024 to 65534.\n"
            f"ANSHAO_DEMO_PORT={given} 不是可用端口,请给 1024 到 65534 之间的数。"
        )
    return int(given), int(given) + 1


def welcome(running: stack.Stack, took_s: float) -> str:
    """What to open and what to try."""
    return f"""
安哨演示已就绪 · AnShao demo is ready ({took_s:.0f} s)

  手机 phones     {running.phones_url}/
  应用 app        {running.app_url}/
  接口 API        {running.app_url}/api/v1/openapi.json
  令牌 token      ./anshao run flask token create demo

试一试 · Try this on the phones page
  1. 张伟(企业微信):发一张照片,再发「1号甲醇储罐V-201旁边地沟盖板没了,踩空危险」
     Zhang Wei sends a photo and that sentence: he gets a receipt with a number.
  2. 陈刚(钉钉):储运车间安全群里出现橙色卡片,点「开始整改」
     Chen Gang finds the orange card in the group and taps 开始整改.
  3. 陈刚:发一张整改后的照片,再说「盖板已复位并固定」
     Chen Gang sends an after-photo and a sentence.
  4. 王芳(钉钉):看对比图,点「验收通过」;张伟看到「已闭环」
     Wang Fang compares and accepts; Zhang Wei sees it closed.
  5. 任何人说「3号泵房着火了」:先提醒撤离,再通知领导(卡片+短信)
     Words of danger are answered at once with the evacuate line.
  6. 马德顺(企业微信)说「动火」「LA-402」…:不通过(绝对禁火区);说「受限空间」「V-206」…监护人说「孙丽」:不通过(无证),
     照建议改成「高峰」、重新报气体:通过;提交后陈刚在 V-206 发位置审批。一路照着问的答就行。
     Ask for permits: a fail by zone, by training, by gas; the fix flips it; approval on the spot.
  7. 探测器一直在报数(每 15 秒)。想看通过的动火:「动火」「P-102B」「出口法兰电焊」「现在干2小时」「郑凯」「吴涛」
     「动火点可燃0.1%LEL,氧20.8」「BX-01」,再照着答。夜间、节假日会升级,要有作业方案。
     Detectors and weather are live: ask for hot work at P-102B.
  8. 作业开始后让旁边的探测器超限,作业票几秒内自动叫停,票上的人都收到:
     Raise a detector while the work goes on; it stops by itself, everyone on the permit is told:
       ./anshao run python -m tools.demo_gas GT-301 40     (P-102B;V-206 旁边是 GT-201)
       ./anshao run python -m tools.demo_gas calm          恢复正常 as usual again

Ctrl-C 停止 · stops everything. 日志 logs: {running.folder}/logs
"""


def run(*, once: bool, folder: Path) -> int:
    began = monotonic()
    app_port, phones_port = ports()
    gateway: demo_gas.Gateway | None = None
    with stack.running(folder, app_port=app_port, phones_port=phones_port, note=_say, weather=True) as running:
        env_file = running.folder.with_suffix(".env")  # data/demo.env, which ./anshao run looks for
        running.write_env_file(env_file)
        try:
            print(welcome(running, monotonic() - began), flush=True)
            if not once:
                gateway = demo_gas.start(running)
            while gateway is not None:
                sleep(0.5)
                running.check_children()
        finally:
            if gateway is not None:
                gateway.stop.set()
            env_file.unlink(missing_ok=True)
    return 0


def _interrupt(*_: object) -> None:
    """The first Ctrl-C (or TERM) ends what is being done, also a start; further ones must not break the clean-up."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    print("\n  stopping … 正在停止", flush=True)
    raise KeyboardInterrupt


def _say(line: str) -> None:
    print(f"  {line}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="./anshao demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="start, check that it is ready, stop")
    parser.add_argument("--data", type=Path, default=FOLDER, help="where the demo keeps its data (default data/demo)")
    wish = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        return run(once=wish.once, folder=wish.data)
    except KeyboardInterrupt:
        print("  stopped 已停止", flush=True)
        return 0
    except (StackError, EmbeddedError, PermissionError) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    raise SystemExit(main())
