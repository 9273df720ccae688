// Random sign-ins to cognito-srp, a server that this project did not write: srp-rounds.mjs CLIENT ROUNDS SEED
//
// CLIENT is srp_client. Ends with a line of JSON: the seed, how many rounds there were, how many signatures cognito-srp
// agrees with ("agreed"), how many it does not for the reason below ("apart"), and the rounds that are wrong ("wrong").
//
// Cognito hashes numbers without leading zero bytes, cognito-srp hashes B and S 384 bytes wide: where one is shorter,
// it comes to another signature than Cognito. So each round is computed a second time here, in plain arithmetic as
// Cognito does it. The client must agree with that always, and with cognito-srp wherever no number is short.

import { spawn } from "node:child_process";
import { createHash, createHmac } from "node:crypto";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Worker, isMainThread, parentPort, workerData } from "node:worker_threads";

const BYTES = 384;

// Most of the time goes into cognito-srp's arithmetic: so a user signs in more than once, and the server's private keys
// are of 8 bytes, which does not show in its public ones.
const SIGN_INS = 5;
const PRIVATE_BYTES = 8;

// Random bytes that the seed decides: SHA-256 of seed, round and a counter. Only the client's key is not among them.
class Source {
    constructor(seed, round) {
        this.label = `${seed}/${round}/`;
        this.counter = 0;
    }

    bytes(length) {
        const blocks = [];
        for (let had = 0; had < length; had += 32)
            blocks.push(createHash("sha256").update(this.label + this.counter++).digest());
        return Buffer.concat(blocks).subarray(0, length);
    }

    below(limit) {
        return this.bytes(4).readUInt32BE() % limit;
    }

    // Characters of one to four bytes; none ends a line.
    text(least, most) {
        const ascii = [0x20, 0x7e];
        const ranges = [ascii, ascii, [0xa1, 0x24f], [0x400, 0x4ff], [0x4e00, 0x9fff], [0x1f300, 0x1f5ff]];
        return Array.from({ length: least + this.below(most - least + 1) }, () => {
            const [first, last] = ranges[this.below(ranges.length)];
            return String.fromCodePoint(first + this.below(last - first + 1));
        }).join("");
    }

    word(length) {
        const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        return Array.from({ length }, () => alphabet[this.below(alphabet.length)]).join("");
    }
}

const number = (hex) => BigInt(`0x${hex}`);
const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest();
const hmac = (key, ...parts) => parts.reduce((mac, part) => mac.update(part), createHmac("sha256", key)).digest();

function pad(value) {
    let hex = value.toString(16);
    hex = hex.length % 2 ? `0${hex}` : hex;
    return Buffer.from(/^[89a-f]/.test(hex) ? `00${hex}` : hex, "hex");
}

function power(base, exponent, modulus) {
    let result = 1n;
    for (const bit of exponent.toString(2)) {
        result = (result * result) % modulus;
        if (bit === "1")
            result = (result * base) % modulus;
    }
    return result;
}

function verifier(N, user) {
    const identity = sha256(`${user.pool}${user.user}:${user.password}`);
    return power(2n, number(sha256(pad(number(user.salt)), identity).toString("hex")), N);
}

// The server's side in plain arithmetic: its signature, and whether cognito-srp can come to the same.
function compute(N, v, round, A) {
    const k = number(sha256(pad(N), pad(2n)).toString("hex"));
    const b = number(round.b.toString("hex"));
    const B = (k * v + power(2n, b, N)) % N;
    const u = number(sha256(pad(A), pad(B)).toString("hex"));
    const S = power(A * power(v, u, N), b, N);
    const key = hmac(hmac(pad(u), pad(S)), "Caldera Derived Key\x01").subarray(0, 16);
    return {
        B,
        isShort: [B, S].some((value) => value >> BigInt(8 * (BYTES - 1)) === 0n),
        signature: hmac(key, round.pool, round.user, round.block, round.timestamp).toString("base64"),
    };
}

// A user. The salt is as Cognito keeps it: a number, with no leading zeros.
function inventUser(seed, index) {
    const source = new Source(seed, `user ${index}`);
    return {
        pool: source.word(9),
        user: source.below(2) ? source.word(8) : source.text(1, 24),
        password: source.below(3) ? source.text(1, 64) : source.word(20),
        salt: number(source.bytes(source.below(4) ? 16 : 1 + source.below(128)).toString("hex")).toString(16),
    };
}

// What the server adds to one sign-in.
function inventRound(seed, index) {
    const source = new Source(seed, `round ${index}`);
    return {
        index,
        b: source.bytes(PRIVATE_BYTES),
        block: source.bytes(1 + source.below(1500)),
        timestamp: "Tue Jan 2 03:04:05 UTC 2024",
        wide: source.below(2) === 1, // B with or without its leading zeros
    };
}

// Plays one round as the server; "agreed", "apart", or what is wrong.
async function play(peer, account, v, round, client) {
    const A = await client.hear();
    const challenge = new peer.ServerPasswordChallenge(round.pool, account, round.b);
    const B = challenge.calculateB().toString("hex");
    const block = round.block.toString("base64");
    const wanted = compute(peer.N, v, round, number(A));
    client.say(round.pool, round.user, round.password, round.salt, round.wide ? B : number(B).toString(16), block,
        round.timestamp);
    const signature = await client.hear();
    const agrees = challenge.getSession(A).calculateSignature(block, round.timestamp) === signature;

    if (wanted.B !== number(B))
        return { why: "this script and cognito-srp differ in B", A, B };
    if (signature !== wanted.signature)
        return { why: "not what the arithmetic says", A, B, signature, wanted: wanted.signature, agrees };
    if (!agrees && !wanted.isShort)
        return { why: "not what cognito-srp says, though no number is short", A, B, signature };
    return agrees ? "agreed" : "apart";
}

function start(program) {
    const process_ = spawn(program, { stdio: ["pipe", "pipe", "inherit"] });
    const lines = createInterface({ input: process_.stdout })[Symbol.asyncIterator]();
    return {
        async hear() {
            const { value, done } = await lines.next();
            if (done)
                throw new Error(`${program} has ended`);
            return value;
        },
        say: (...said) => process_.stdin.write(said.map((line) => `${line}\n`).join("")),
        end: () => process_.stdin.end(),
    };
}

// All sign-ins of one user.
async function playUser(peer, user, rounds, client) {
    const named = { username: user.user, password: user.password };
    const account = await new peer.UserPool(user.pool).createUser(named, user.salt);
    const v = verifier(peer.N, user);
    const outcomes = [];
    for (const added of rounds) {
        const round = { ...user, ...added };
        const outcome = await play(peer, account, v, round, client);
        outcomes.push(typeof outcome === "string" ? outcome
            : { ...outcome, ...round, b: round.b.toString("hex"), block: round.block.toString("base64") });
    }
    return outcomes;
}

// A thread's share of the users.
async function playAll({ program, seed, rounds, users }) {
    const require = createRequire(join(process.env.PAM_COGNITO_PEERS, "package.json"));
    const peer = { ...require("cognito-srp"), N: number(require("cognito-srp/dist/lib/constants").N.toString(16)) };
    const client = start(program);
    const outcomes = [];
    for (const index of users) {
        const first = index * SIGN_INS;
        const length = Math.min(SIGN_INS, rounds - first);
        const signIns = Array.from({ length }, (_, i) => inventRound(seed, first + i));
        outcomes.push(...await playUser(peer, inventUser(seed, index), signIns, client));
    }
    client.end();
    return outcomes;
}

function share(data) {
    return new Promise((resolve, reject) => {
        const worker = new Worker(fileURLToPath(import.meta.url), { workerData: data });
        worker.once("message", resolve);
        worker.once("error", reject);
    });
}

async function main() {
    const [program, count, seed] = process.argv.slice(2);
    const rounds = Number(count);
    const users = Array.from({ length: Math.ceil(rounds / SIGN_INS) }, (_, index) => index);
    const threads = availableParallelism();
    const shares = Array.from({ length: threads }, (_, thread) => users.filter((user) => user % threads === thread));
    const played = await Promise.all(shares.map((mine) => share({ program, seed, rounds, users: mine })));
    const outcomes = played.flat();
    const counted = (outcome) => outcomes.filter((one) => one === outcome).length;
    const wrong = outcomes.filter((one) => typeof one !== "string");
    const report = { seed, rounds: outcomes.length, agreed: counted("agreed"), apart: counted("apart"), wrong };
    console.log(JSON.stringify(report));
}

if (isMainThread)
    await main();
else
    parentPort.postMessage(await playAll(workerData));
