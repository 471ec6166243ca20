"""Answers questions about IAM policies with localemu's own evaluator: JSON in, a list of decisions out."""
import json
import sys

from localemu.services.iam_enforcement import evaluator
from localemu.services.iam_enforcement.identity import CallerIdentity

decisions = []
for question in json.load(sys.stdin):
    policies = question["policies"]
    evaluator.get_identity_policies = lambda caller: policies
    evaluator.get_permission_boundary = lambda caller: None
    evaluator.get_session_policies = lambda caller: []
    trust = question.get("trust")
    if trust is not None:
        # A trust policy has no Resource: its role is meant. This evaluator wants one.
        statements = trust["Statement"]
        trust = {**trust, "Statement": [{**one, "Resource": "*"} for one in (statements if isinstance(statements, list) else [statements])]}
    caller = CallerIdentity(principal_type="AssumedRole", account_id="123456789012", arn=question["caller"])
    decision = evaluator.PolicyEvaluator().evaluate(
        caller, question["action"], question["resource"], question["context"], trust
    )
    decisions.append(decision.value)
json.dump(decisions, sys.stdout)
