"""Accounts: kept by the operator; each one readable by the person whom it is about."""

from __future__ import annotations

from fastapi import APIRouter

from ariane.engine import Engine
from ariane.serve.access import AnyCaller, Operator, own
from ariane.serve.models import AccountIn, AccountOut, Done
from ariane.serve.problems import COMMON, said
from ariane.serve.service import Serving, now
from ariane.serve.values import Id
from ariane.types import CallError, Delete, NotFoundError

router = APIRouter(prefix="/v1/accounts", tags=["accounts"])


@router.put("/{account:path}", summary="Write an account", responses=said(401, 403, 404, *COMMON))
async def put_account(account: Id, body: AccountIn, serving: Serving, _: Operator) -> AccountOut:
    """Merge what is said into the account, where null takes nothing away; what is then held.

    It holds for someone who was erased too. The birth year decides who is a minor.
    """

    def job(engine: Engine) -> AccountOut:
        engine.store.write([body.account(account, now())])
        held = engine.store.account(account)
        if held is None:
            raise CallError(f"Account {account} was deleted, which is for ever; use another id.")
        return AccountOut.of(held)

    return await serving.work(job)


@router.get("/{account:path}", summary="One account", responses=said(401, 403, 404, *COMMON))
async def get_account(account: Id, serving: Serving, asking: AnyCaller) -> AccountOut:
    """An account as it is held, for the operator and for the one whom it is about."""
    own(asking, account)

    def job(engine: Engine) -> AccountOut:
        found = engine.store.account(account)
        if found is None:
            raise NotFoundError(f"There is no account {account}.")
        return AccountOut.of(found)

    return await serving.work(job)


@router.delete(
    "/{account:path}", summary="Delete an account", responses=said(401, 403, 404, *COMMON)
)
async def delete_account(account: Id, serving: Serving, _: Operator) -> Done:
    """Delete an account. What was held about it as a viewer goes by DELETE /v1/viewers."""

    def job(engine: Engine) -> Done:
        return Done(done=engine.store.write([Delete("account", account, now())]).new > 0)

    return await serving.work(job)
