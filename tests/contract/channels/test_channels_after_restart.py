"""What a channel backend promises when its engine was killed and started again, with all that it had written."""

from tests.contract.channels.engines import Engine
from tests.contract.channels.test_channel_backend_contract import KEEP, processes


async def test_an_engine_that_was_killed_comes_back_with_its_history(engine: Engine) -> None:
    async with processes(engine, 2) as [(one, first), (two, second)]:
        await one.subscribe("room:1")
        await one.renew(60.0)
        await one.join("room:1", "a", b"ada")
        numbers = [await two.publish("room:1", b"%d" % number, keep=KEEP) for number in range(3)]
        await engine.restart()
        await first.until(lambda: first.restores)
        await second.until(lambda: second.restores)
        numbers.append(await two.publish("room:1", b"3", keep=KEEP))
        await first.until(lambda: b"3" in first.bodies)
        replay = await one.history("room:1", after=numbers[0], keep=KEEP)

        assert [(stored.sequence, stored.body) for stored in replay.messages] == [
            (number, b"%d" % index) for index, number in enumerate(numbers) if index
        ]
        assert replay.complete
        assert await two.present("room:1") == {"a": b"ada"}
        assert len(first.breaks) == first.restores == 1
