"""Templates that say what claims may add, with the unmodified client."""

from __future__ import annotations

import re

import pytest
from unmodified_clients import Clients

TEMPLATES = (
    """
import subprocess
from k8s_agent_sandbox import SandboxClient, exceptions

TEMPLATE = """
    + repr(
        """
apiVersion: extensions.agents.x-k8s.io/v1beta1
kind: SandboxTemplate
metadata: {name: NAME, namespace: templates}
spec:
  envVarsInjectionPolicy: POLICY
  volumeClaimTemplatesPolicy: POLICY
  podTemplate:
    spec:
      containers:
        - name: main
          image: base
          volumeMounts: [{name: data, mountPath: /data}]
      volumes: [{name: data, emptyDir: {}}]
"""
    )
    + """

def apply(name, policy):
    text = TEMPLATE.replace("NAME", name).replace("POLICY", policy)
    subprocess.run(["kubectl", "apply", "-f", "-"], input=text, text=True, check=True,
                   stdout=subprocess.DEVNULL)
    return f"shadow-pool-{name}"

volume = {
    "metadata": {"name": "data"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "64Mi"}}},
}
client = SandboxClient()
open_pool, shut_pool = apply("open", "Overrides"), apply("shut", "Disallowed")
box = client.create_sandbox(open_pool, "templates", env={"A": "b"}, volume_claim_templates=[volume],
                            pod_labels={"sandbox.users.io/team": "red"})
print(box.commands.run("echo $A; df -m --output=size /data | tail -1").stdout.split())
labels = subprocess.run(["kubectl", "get", "pod", box.get_pod_name(), "-n", "templates", "-o",
                         "jsonpath={.metadata.labels.sandbox\\\\.users\\\\.io/team}"],
                        capture_output=True, text=True).stdout
print(labels)
for options in ({"env": {"A": "b"}}, {"volume_claim_templates": [volume]},
                {"pod_labels": {"elsewhere.io/team": "red"}}):
    try:
        client.create_sandbox(shut_pool, "templates", **options)
    except exceptions.SandboxClaimFailedError as error:
        print(str(error).split("terminal reason ")[1].split(":")[0])
client.delete_all()
"""
)


def test_templates_say_what_claims_may_add(clients: Clients) -> None:
    if clients.generation == "0.4":
        pytest.skip("claims of this client can add nothing")
    added, label, *refused = clients.printed(TEMPLATES).splitlines()
    assert re.fullmatch(r"\['b', '[56]\d'\]", added)
    assert label == "red"
    assert refused == [
        "EnvVarsInjectionRejected",
        "VolumeClaimTemplatesError",
        "InvalidMetadata",
    ]
