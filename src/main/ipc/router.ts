import type { z } from 'zod';
import {
  contract as engramContract,
  WireRequest,
  type Contract,
  type EngramHandlers,
  type Handlers,
  type Method,
  type WireMessage,
} from '../../shared/contracts/index.ts';
import { InvariantError, UserInputError, serializeError } from '../../shared/errors/index.ts';

type AnyHandler = (input: unknown) => unknown;

export interface Router {
  /** Runs one method. Throws an EngramError; input and output are checked against the contract. */
  call(service: string, method: string, input: unknown): Promise<unknown>;
  /** Answers one wire message. Never throws: a message that is no request has a null answer. */
  handle(message: unknown): Promise<WireMessage | null>;
}

export interface RouterOptions {
  /** Told of every failed call, for the log. Inputs are never passed on. */
  readonly onError?: (service: string, method: string, error: unknown) => void;
}

/** The router over Engram's own contract. */
export function createRouter(handlers: EngramHandlers, options: RouterOptions = {}): Router {
  return createContractRouter(engramContract, handlers, options);
}

/** Binds a contract to its handlers, whatever transport carries the calls. */
export function createContractRouter<C extends Contract>(
  contract: C,
  handlers: Handlers<C>,
  options: RouterOptions = {},
): Router {
  const call: Router['call'] = async (service, name, input) => {
    const { method, handler } = find(contract, handlers, service, name);
    const parsed = method.input.safeParse(input);
    if (!parsed.success) throw badInput(service, name, parsed.error);
    const output: unknown = await handler(parsed.data);
    const checked = method.output.safeParse(output);
    if (!checked.success) {
      throw new InvariantError(
        `${service}.${name} answered outside its contract: ${firstIssue(checked.error)}`,
      );
    }
    return checked.data;
  };

  const handle: Router['handle'] = async (message) => {
    const request = WireRequest.safeParse(message);
    if (!request.success) return null;
    const { id, service, method, input } = request.data;
    try {
      return { id, ok: true, output: await call(service, method, input) };
    } catch (error) {
      options.onError?.(service, method, error);
      const { kind, code, message: text, next } = serializeError(error);
      return { id, ok: false, error: { kind, code, message: text, next } };
    }
  };

  return { call, handle };
}

function find<C extends Contract>(
  contract: C,
  handlers: Handlers<C>,
  service: string,
  name: string,
): { method: Method; handler: AnyHandler } {
  const methods = Object.hasOwn(contract, service) ? contract[service] : undefined;
  const method = methods !== undefined && Object.hasOwn(methods, name) ? methods[name] : undefined;
  if (method === undefined) {
    throw new UserInputError(
      'RPC_UNKNOWN_METHOD',
      `There is no method ${service}.${name}.`,
      'Reload the window: it may be of another version than the services.',
    );
  }
  // Handlers<C> has exactly the contract's keys, each taking its method's parsed input.
  const table = handlers as Readonly<Record<string, Readonly<Record<string, AnyHandler>>>>;
  const handler = table[service]?.[name];
  if (handler === undefined) throw new InvariantError(`${service}.${name} has no handler.`);
  return { method, handler };
}

function badInput(service: string, name: string, error: z.ZodError): UserInputError {
  return new UserInputError(
    'INPUT_INVALID',
    `${service}.${name}: ${firstIssue(error)}.`,
    'Correct the value and try again.',
    error,
  );
}

/** `config.epochs: Too small`, the first thing that is wrong. */
function firstIssue(error: z.ZodError): string {
  const issue = error.issues[0];
  if (issue === undefined) return 'invalid value';
  const path = issue.path.map(String).join('.');
  return path === '' ? issue.message : `${path}: ${issue.message}`;
}
