"""Webhooks: other systems are told by a signed POST that a call began, was answered, handed on, ended or changed."""
