// Loaded before Scalar: its validator would try whether it may evaluate text as code, which the policy forbids.
"use strict";
globalThis.__zod_globalConfig = { jitless: true };
