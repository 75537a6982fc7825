import type { z } from 'zod';

/**
 * A contract is a table of methods with a schema for input and output. The same table types the client
 * in the renderer, the handlers in the services, and checks every call at the border.
 */
export interface Method<I extends z.ZodType = z.ZodType, O extends z.ZodType = z.ZodType> {
  readonly input: I;
  readonly output: O;
}

export type ServiceContract = Readonly<Record<string, Method>>;
export type Contract = Readonly<Record<string, ServiceContract>>;

export function method<I extends z.ZodType, O extends z.ZodType>(input: I, output: O): Method<I, O> {
  return { input, output };
}

/** What a caller sees. */
export type ServiceClient<S extends ServiceContract> = {
  readonly [M in keyof S]: (input: z.input<S[M]['input']>) => Promise<z.output<S[M]['output']>>;
};
export type Client<C extends Contract> = { readonly [S in keyof C]: ServiceClient<C[S]> };

/** What an implementation provides: it receives parsed input. */
export type ServiceHandlers<S extends ServiceContract> = {
  readonly [M in keyof S]: (
    input: z.output<S[M]['input']>,
  ) => Promise<z.input<S[M]['output']>> | z.input<S[M]['output']>;
};
export type Handlers<C extends Contract> = { readonly [S in keyof C]: ServiceHandlers<C[S]> };
