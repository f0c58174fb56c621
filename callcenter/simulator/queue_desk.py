"""What the simulated PBX answers to actions about queues. Pure.

The answers, their headers and their order are those of a real Asterisk 22.10, as it gave them over AMI.
"""

import re

from callcenter.simulator.answers import Actions, Answer, Request, action_id, bad, good, listed
from callcenter.simulator.channels import Channel, Headers, Member, Queue
from callcenter.simulator.pbx import Pbx

_INTERFACE = re.compile(r"PJSIP/(\w+)$")
_YES = ("true", "yes", "1", "on")


class QueueDesk:
    """Does the actions about queues."""

    def __init__(self, pbx: Pbx) -> None:
        self.pbx = pbx
        self.actions: Actions = {
            "QueueAdd": (("agent",), self._queue_add),
            "QueueChangePriorityCaller": ((), self._change_priority),
            "QueuePause": (("agent",), self._queue_pause),
            "QueuePenalty": (("agent",), self._queue_penalty),
            "QueueRemove": (("agent",), self._queue_remove),
            "QueueStatus": ((), self._queue_status),
            "QueueSummary": ((), self._queue_summary),
        }

    def _queue_status(self, request: Request) -> Answer:
        rows = []
        for queue in self._queues(request):
            wanted = request.get("member")
            rows.append([("Event", "QueueParams"), *self._queue_params(queue), *action_id(request)])
            rows += [
                self._queue_member(queue, member, request)
                for member in queue.members
                if not wanted or member.interface == wanted
            ]
            rows += [self._queue_entry(queue, channel, request) for channel in queue.waiting]
        yield from listed(request, "Queue status will follow", "QueueStatusComplete", rows)

    def _queue_params(self, queue: Queue) -> Headers:
        return [
            ("Queue", queue.plan.name),
            ("Max", "0"),
            ("Strategy", queue.plan.strategy.value),
            ("Calls", str(len(queue.waiting))),
            ("Holdtime", "0"),
            ("TalkTime", "0"),
            ("Completed", str(queue.completed)),
            ("Abandoned", str(queue.abandoned)),
            ("ServiceLevel", "20"),
            ("ServicelevelPerf", "0.0"),
            ("ServicelevelPerf2", "0.0"),
            ("Weight", "0"),
        ]

    def _queue_member(self, queue: Queue, member: Member, request: Request) -> Headers:
        head = [
            ("Event", "QueueMember"),
            ("Queue", queue.plan.name),
            ("Name", member.name),
            ("Location", member.interface),
        ]
        counters = member.counters(self.pbx.status(member.extension))
        return [*head, *counters, ("Wrapuptime", "0"), *action_id(request)]

    def _queue_entry(self, queue: Queue, channel: Channel, request: Request) -> Headers:
        return [
            ("Event", "QueueEntry"),
            ("Queue", queue.plan.name),
            ("Position", str(queue.waiting.index(channel) + 1)),
            ("Channel", channel.name),
            ("Uniqueid", channel.uniqueid),
            ("CallerIDNum", channel.number or "unknown"),
            ("CallerIDName", channel.shown_name or "unknown"),
            ("ConnectedLineNum", channel.connected_number or "unknown"),
            ("ConnectedLineName", channel.connected_name or "unknown"),
            ("Wait", str(self.pbx.waited(channel, queue))),
            ("Priority", "0"),
            *action_id(request),
        ]

    def _queue_summary(self, request: Request) -> Answer:
        rows = []
        for queue in self._queues(request):
            states = [self.pbx.status(member.extension) for member in queue.members if not member.paused]
            waits = [self.pbx.waited(channel, queue) for channel in queue.waiting]
            counts: Headers = [
                ("Event", "QueueSummary"),
                ("Queue", queue.plan.name),
                ("LoggedIn", str(sum(state != 5 for state in states))),
                ("Available", str(states.count(1))),
                ("Callers", str(len(queue.waiting))),
                ("HoldTime", "0"),
                ("TalkTime", "0"),
                ("LongestHoldTime", str(max(waits, default=0))),
                *action_id(request),
            ]
            rows.append(counts)
        yield from listed(request, "Queue summary will follow", "QueueSummaryComplete", rows)

    def _queues(self, request: Request) -> list[Queue]:
        wanted = request.get("queue")
        return [queue for queue in self.pbx.queues.values() if not wanted or queue.plan.name == wanted]

    def _queue_pause(self, request: Request) -> Answer:
        if not request.get("interface") or not request.get("paused"):
            yield bad(request, "Need 'Interface' and 'Paused' parameters.")
            return
        paused = request["paused"].lower() in _YES
        changed = [
            (queue, member)
            for queue in self._queues(request)
            for member in queue.members
            if member.interface == request["interface"]
        ]
        if not changed:
            yield bad(request, "Interface not found")
            return
        for queue, member in changed:
            member.paused = paused
            member.reason = request.get("reason", "") if paused else ""
            if paused:
                member.last_pause = int(self.pbx.now())
            self.pbx.say_member("QueueMemberPause", queue, member)
        yield good(request, ("Message", f"Interface {'paused' if paused else 'unpaused'} successfully"))

    def _queue_penalty(self, request: Request) -> Answer:
        penalty = request.get("penalty", "")
        changed = [
            (queue, member)
            for queue in self._queues(request)
            for member in queue.members
            if member.interface == request.get("interface")
        ]
        if not changed or not penalty.isdecimal():
            yield bad(request, "Invalid interface, queuename or penalty")
            return
        for queue, member in changed:
            member.penalty = int(penalty)
            self.pbx.say_member("QueueMemberPenalty", queue, member)
        yield good(request, ("Message", "Interface penalty set successfully"))

    def _change_priority(self, request: Request) -> Answer:
        """The one priority that anybody gives here is the highest: to the front. Nobody is told, as by Asterisk."""
        queue = self.pbx.queues.get(request.get("queue", ""))
        caller = next((one for one in queue.waiting if one.name == request.get("caller")), None) if queue else None
        if queue is None or caller is None:
            yield bad(request, "Unable to change priority caller on queue: No such caller")
            return
        queue.waiting.remove(caller)
        queue.waiting.insert(0, caller)
        yield good(request, ("Message", "Priority change for caller on queue"))

    def _queue_add(self, request: Request) -> Answer:
        queue = self.pbx.queues.get(request.get("queue", ""))
        found = _INTERFACE.match(request.get("interface", ""))
        if queue is None or found is None:
            yield bad(request, "Unable to add interface to queue: No such queue")
            return
        extension = found[1]
        if any(member.extension == extension for member in queue.members):
            yield bad(request, "Unable to add interface: Already there")
            return
        name = request.get("membername") or request["interface"]
        member = Member(extension, name, self.pbx.now(), "dynamic")
        member.paused = request.get("paused", "").lower() in _YES
        penalty = request.get("penalty", "")
        member.penalty = int(penalty) if penalty.isdecimal() else 0
        queue.members.append(member)
        self.pbx.say_member("QueueMemberAdded", queue, member)
        yield good(request, ("Message", "Added interface to queue"))

    def _queue_remove(self, request: Request) -> Answer:
        queue = self.pbx.queues.get(request.get("queue", ""))
        for member in queue.members if queue else ():
            if queue and member.interface == request.get("interface"):
                queue.members.remove(member)
                self.pbx.say_member("QueueMemberRemoved", queue, member)
                yield good(request, ("Message", "Removed interface from queue"))
                return
        yield bad(request, "Unable to remove interface: Not there")
