# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: notify
short_description: Send notifications about purchases, terminations, budgets and servers
version_added: 0.1.0
description:
  - Tells receivers, by webhook or by mail, what the results of other modules say. Playbooks give it what a bring-up has bought and what a round of
    the reaper has seen; who sets up a receiver tries it with O(test).
  - V(bought) is a purchase; V(lease_ending) a lease that ends within 30 minutes; V(terminated) what a reaper has terminated or stopped;
    V(not_terminated) what it could not terminate, once a day; V(budget) a limit of which the first, second or third threshold is reached, once in
    its day or month, that of an hour once a day; V(server_down) a server that has failed its check for five minutes, as the role
    P(gpuops.cloud.idle_guard#role)
    sees it.
  - Each receiver gets each event once. What was told is noted in the database of the ledger, so that it also holds for several controllers that
    share one; with O(ledger=none) it is noted in C(gpuops/notices.sqlite3) below E(XDG_DATA_HOME) or C(~/.local/share), for this controller.
    What a run was killed over before it told anybody, the next round of a reaper tells from the ledger.
  - A run that is killed between sending a message and noting it leaves a message that is sent again. It bears the same C(id), and as a mail the
    same C(Message-ID), by which the receiver can know it.
  - A receiver that hangs or refuses is a warning, and nothing fails or waits over it for longer than O(timeout). It gets the message in the next round,
    for 24 hours, or until the lease is over that ends.
  - Addresses of webhooks are secrets, so only their hosts are ever named. Certificates are verified, redirects are not followed.
author:
  - gpuops.cloud contributors (@gpuops)
extends_documentation_fragment:
  - gpuops.cloud.ledger
options:
  receivers:
    description: Who is told. An address that stands there twice counts once, as it stands there last.
    type: list
    elements: dict
    required: true
    suboptions:
      webhook:
        description:
          - Address that gets a POST, which begins with C(https://); C(http://) is for this host alone.
          - Either this or O(receivers[].email).
        type: str
      format:
        description:
          - V(slack) is what incoming webhooks of Slack and its look-alikes take; names and messages are text there, never markup, mentions or links.
          - V(json) is an object with C(id), C(event), C(at), C(text) and C(facts). The header C(Idempotency-Key) bears the C(id), too.
        type: str
        choices: [slack, json]
        default: json
      email:
        description: Mail addresses, each of which gets a mail of its own.
        type: list
        elements: str
      smtp:
        description: The server that takes the mails.
        type: dict
        suboptions:
          host:
            description: Its name, which its certificate must bear.
            type: str
            required: true
          port:
            description: Its port; by default 587, or 465 with V(tls), or 25 with V(none).
            type: int
          tls:
            description:
              - V(starttls) goes on encrypted or not at all, V(tls) begins so. V(none) is for a server on this host or in a network of your own.
            type: str
            choices: [starttls, tls, none]
            default: starttls
          username:
            description: Who logs in, together with O(receivers[].smtp.password).
            type: str
          password:
            description: Password; never sent without encryption, but to this host.
            type: str
          sender:
            description: Address that the mails come from.
            type: str
            required: true
      events:
        description: Only these; without it all of them.
        type: list
        elements: str
        choices: [bought, lease_ending, terminated, not_terminated, budget, server_down]
  purchase:
    description: Result of M(gpuops.cloud.datacrunch_instance).
    type: dict
  reap:
    description: Result of M(gpuops.cloud.datacrunch_reap).
    type: dict
  reports:
    description: Reports of M(gpuops.cloud.idle_reports).
    type: list
    elements: dict
    default: []
  test:
    description: Tells a test to every receiver, and nothing else; fails where one cannot be told.
    type: bool
    default: false
  timeout:
    description: Seconds after which a receiver is left. All are told at the same time.
    type: float
    default: 15
attributes:
  check_mode:
    support: full
    description: Sends and notes nothing, and returns what would be told.
  diff_mode:
    support: none
    description: What is told is in RV(told).
  idempotent:
    support: partial
    description: Nothing is told twice, but each O(test) is a new one.
seealso:
  - module: gpuops.cloud.datacrunch_reap
  - module: gpuops.cloud.idle_reports
"""

EXAMPLES = r"""
- name: Try the receivers
  gpuops.cloud.notify:
    test: true
    receivers:
      - webhook: "{{ vault_slack_webhook }}"
        format: slack
      - email: [ops@example.org]
        smtp:
          host: smtp.example.org
          username: gpuops
          password: "{{ vault_smtp_password }}"
          sender: gpuops@example.org
        events: [not_terminated, budget, server_down]

- name: Terminate what is over
  gpuops.cloud.datacrunch_reap:
    everything: true
    mode: delete
  register: reaped

- name: Tell a program of ours
  gpuops.cloud.notify:
    receivers:
      - webhook: "{{ vault_webhook }}"
    reap: "{{ reaped }}"
"""

RETURN = r"""
events:
  description: What there was to tell in this run, whoever was told of it before.
  returned: success
  type: list
  elements: dict
  contains:
    id: {type: str, description: The same for the same event whoever sees it., returned: success, sample: "terminated:5f1c2a60-7d5e-4c0e-9d0b-0a4b6f3b9c11"}
    event: {type: str, description: Kind of event., returned: success, sample: terminated}
    at: {type: str, description: When it happened in UTC., returned: success, sample: "2026-11-22T20:15:02Z"}
    text: {type: str, description: One sentence for people., returned: success, sample: "Terminated llm, which cost 3.555 usd per hour."}
    facts: {type: dict, description: The same for programs., returned: success, sample: {name: llm, price_per_hour: 3.555, currency: usd}}
told:
  description: Who was told of what, or in check mode would be, what was left from earlier runs included.
  returned: success
  type: list
  elements: dict
  contains:
    receiver: {type: str, description: "Receiver, without its secret.", returned: success, sample: webhook at hooks.slack.com}
    id: {type: str, description: Id of the event., returned: success, sample: "terminated:5f1c2a60-7d5e-4c0e-9d0b-0a4b6f3b9c11"}
    text: {type: str, description: What was told., returned: success, sample: "Terminated llm, which cost 3.555 usd per hour."}
actions:
  description: What was done, or in check mode would be done, as sentences.
  returned: success, and on failure what was done before
  type: list
  elements: str
  sample: ["tell the webhook at hooks.slack.com: A test of the notifications of gpuops.cloud, from controller."]
error:
  description: What went wrong, for programs.
  returned: failure
  type: dict
  contains:
    code: {type: str, description: Kind of error., returned: failure, sample: untold}
    status: {type: int, description: HTTP status if there was one., returned: failure, sample: null}
    api_code: {type: str, description: Always null., returned: failure, sample: null}
    request: {type: str, description: Always null., returned: failure, sample: null}
    hint: {type: str, description: What to do next., returned: failure, sample: ""}
errors:
  description: Every error, when several receivers could not be told.
  returned: on failure of more than one receiver
  type: list
  elements: str
  sample: ["The webhook at hooks.slack.com answered 404: no_service."]
"""

from ..module_utils._core.argspecs import LEDGER_SPEC
from ..module_utils._notify.receivers import RECEIVERS_SPEC
from ..module_utils._notify.resource import NotifyResource
from ..module_utils._runner.cloud import ELSEWHERE
from ..module_utils._runner.engine import run

SPEC = {
    **LEDGER_SPEC,
    "receivers": {**RECEIVERS_SPEC, "required": True},
    "purchase": {"type": "dict"},
    "reap": {"type": "dict"},
    "reports": {"type": "list", "elements": "dict", "default": []},
    "test": {"type": "bool", "default": False},
    "timeout": {"type": "float", "default": 15},
}


def main() -> None:
    run(SPEC, NotifyResource(), ELSEWHERE)


if __name__ == "__main__":
    main()
