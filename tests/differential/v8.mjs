// v8.mjs - Glass against V8 over random modules.
//
//     node tests/differential/v8.mjs RUN_MODULE [COUNT] [FIRST_SEED]
//     node tests/differential/v8.mjs RUN_MODULE --module MODULE.wasm
//
// Each seed gives random bytes, of which `wasm-opt -ttf` (binaryen) makes a
// valid module. RUN_MODULE (run_module.c) runs it on Glass in every way there
// is and writes a transcript: what was called with which arguments, what was
// logged on the way, what came of it. Here V8 does the same calls, and has to
// give the same lines. NaNs are taken out by binaryen's --denan, as their bits
// are an engine's own affair.
//
// What differs is kept, with both transcripts, in GLASS_DIFFERENTIAL_KEEP (a
// directory; else a new one in the system's for temporary files).
//
// Exit status: 0 when nothing differs. v8.sh looks first whether there is a
// wasm-opt.

import {spawnSync} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const features = [
    '--mvp-features', '--enable-sign-ext', '--enable-mutable-globals',
    '--enable-nontrapping-float-to-int', '--enable-bulk-memory',
    '--enable-multivalue',
];
// Code as a compiler leaves it, and as one that hardly tries does.
const shapes = [[], ['-O2'], ['--flatten', '--rereloop'], ['-O3']];
const limitExport = 'hangLimitInitializer';

// ---- Values

const words = new DataView(new ArrayBuffer(8));

function parseValue(text) {
    const [type, digits] = text.split(':');
    switch (type) {
    case 'i32':
        return Number(digits) | 0;
    case 'i64':
        return BigInt.asIntN(64, BigInt(digits));
    case 'f32':
        words.setUint32(0, digits === 'nan' ? 0x7fc00000 : Number(digits));
        return words.getFloat32(0);
    case 'f64':
        words.setBigUint64(0, digits === 'nan' ? 0x7ffn << 52n | 1n << 51n
                                               : BigInt(digits));
        return words.getFloat64(0);
    default:
        return null;
    }
}

function printValue(type, value) {
    switch (type) {
    case 'i32':
        return ` i32:0x${(value >>> 0).toString(16)}`;
    case 'i64':
        return ` i64:0x${BigInt.asUintN(64, value).toString(16)}`;
    case 'f32':
        words.setFloat32(0, value);
        return Number.isNaN(value)
            ? ' f32:nan' : ` f32:0x${words.getUint32(0).toString(16)}`;
    case 'f64':
        words.setFloat64(0, value);
        return Number.isNaN(value)
            ? ' f64:nan' : ` f64:0x${words.getBigUint64(0).toString(16)}`;
    default:
        return ` ${type}:${value === null ? 'null' : 'there'}`;
    }
}

// V8's words for a trap, as run_module.c has them.
const traps = [
    [/^unreachable$/, 'unreachable'],
    [/^memory access out of bounds$/, 'out of bounds memory access'],
    [/^data segment .*out of bounds/, 'out of bounds memory access'],
    [/^(divide|remainder) by zero$/, 'integer divide by zero'],
    [/unrepresentable/, 'unrepresentable'],
    [/^table index is out of bounds$/, 'undefined element'],
    [/^(table|element segment).* out of bounds$/,
     'out of bounds table access'],
    [/signature/, 'signature'],
];

function printError(error) {
    if (error instanceof RangeError && /call stack/.test(error.message))
        return 'call stack exhausted';
    if (!(error instanceof WebAssembly.RuntimeError))
        throw error;
    const known = traps.find(([pattern]) => pattern.test(error.message));
    return `trap ${known ? known[1] : error.message}`;
}

// ---- The same on V8

// An `import` of type log-i32 has one parameter of that type.
function makeImports(module, lines) {
    const imports = {};
    for (const {module: from, name} of WebAssembly.Module.imports(module)) {
        imports[from] ??= {};
        imports[from][name] = (...values) => {
            const type = name.replace('log-', '');
            lines.push(`  ${name}` +
                values.map(value => printValue(type, value)).join(''));
        };
    }
    return imports;
}

// Does what a line "call NAME ARGUMENT... = TYPE..." says.
function replay(exports, line, lines) {
    const [, name, values, types] =
        line.match(/^call (\S+)((?: \S+:\S+)*) =(.*)$/);
    lines.push(line);
    exports[limitExport]?.();
    try {
        const result =
            exports[name](...values.split(' ').slice(1).map(parseValue));
        const list = types.split(' ').slice(1);
        const results = list.length > 1 ? result : [result];
        lines.push('  ->' +
            list.map((type, i) => printValue(type, results[i])).join(''));
    } catch (error) {
        lines.push('  ' + printError(error));
    }
}

function hash(bytes) {
    let value = 0x811c9dc5;
    for (let i = 0; i < bytes.length; i++)
        value = Math.imul(value ^ bytes[i], 0x01000193);
    return value >>> 0;
}

// The transcript that V8 gives for the calls of Glass's.
function runHere(bytes, transcript) {
    const lines = [];
    const module = new WebAssembly.Module(bytes);
    const {exports} =
        new WebAssembly.Instance(module, makeImports(module, lines));
    for (const line of transcript.split('\n'))
        if (line.startsWith('call '))
            replay(exports, line, lines);
    for (const {name, kind} of WebAssembly.Module.exports(module)) {
        if (kind === 'memory') {
            const memory = new Uint8Array(exports[name].buffer);
            lines.push(`memory ${name} bytes ${memory.length} hash 0x` +
                hash(memory).toString(16));
        } else if (kind === 'global') {
            const [, type] = transcript.match(
                new RegExp(`^global ${name} (\\w+):`, 'm')) ?? [];
            lines.push(`global ${name}` +
                printValue(type, exports[name].value));
        }
    }
    return lines.join('\n') + '\n';
}

// ---- Modules

// Bytes that depend on the seed alone.
function randomBytes(seed) {
    let state = Math.imul(seed, 0x9e3779b1) | 1;
    const next = () => {
        state ^= state << 13;
        state ^= state >>> 17;
        state ^= state << 5;
        return state >>> 0;
    };
    next();
    const bytes = Buffer.alloc(200 + next() % 12000);
    for (let i = 0; i < bytes.length; i++)
        bytes[i] = next() >>> 11;
    return bytes;
}

// A generated loop or function stops for good after ten rounds; here after
// 63, which is as long in the binary.
function raiseLimit(bytes) {
    const module = Buffer.from(bytes);
    for (let i = module.length - 6; i > 0; i--)
        if (module[i] === 0x41 && module[i + 1] === 10 &&
            module[i + 2] === 0x24 && module[i + 4] === 0x0b)
            module[i + 1] = 63;
    return module;
}

function makeModule(seed, directory) {
    const seedFile = path.join(directory, 'seed');
    const file = path.join(directory, `${seed}.wasm`);
    fs.writeFileSync(seedFile, randomBytes(seed));
    const made = spawnSync('wasm-opt', [
        '-q', '-ttf', seedFile, ...features, '--denan',
        ...shapes[seed % shapes.length], '-o', file,
    ], {encoding: 'utf8'});
    if (made.status !== 0)
        throw new Error(`wasm-opt: ${made.error ?? made.stderr}`);
    fs.writeFileSync(file, raiseLimit(fs.readFileSync(file)));
    return file;
}

// How far transcripts are comparable: engines run out of stack at different
// depths, and what is done up to there differs.
function comparable(transcript) {
    return transcript.split(/^ {2}call stack exhausted$/m)[0];
}

// What is wrong, or nothing.
function check(runModule, file, counts) {
    const glass = spawnSync(runModule, [file],
        {encoding: 'utf8', maxBuffer: 1 << 28});
    if (glass.status !== 0)
        return {reason: glass.stderr || `ended by ${glass.signal}`};
    const v8 = runHere(fs.readFileSync(file), glass.stdout);
    let [ours, theirs] = [comparable(glass.stdout), comparable(v8)];
    if (ours !== glass.stdout || theirs !== v8) {
        counts.exhausted++;
        const length = Math.min(ours.length, theirs.length);
        ours = ours.slice(0, length);
        theirs = theirs.slice(0, length);
    }
    counts.calls += v8.match(/^call /gm)?.length ?? 0;
    counts.traps += v8.match(/^ {2}trap /gm)?.length ?? 0;
    if (ours === theirs)
        return null;
    const [a, b] = [ours.split('\n'), theirs.split('\n')];
    const line = a.findIndex((text, i) => text !== b[i]);
    return {
        reason: `line ${line + 1}: Glass "${a[line]}", V8 "${b[line]}"`,
        glass: glass.stdout, v8,
    };
}

// ---- All of it

function keep(file, difference) {
    const directory = process.env.GLASS_DIFFERENTIAL_KEEP ??
        fs.mkdtempSync(path.join(os.tmpdir(), 'glass-differential-kept-'));
    const kept = path.join(directory, path.basename(file));
    fs.mkdirSync(directory, {recursive: true});
    if (path.resolve(file) !== path.resolve(kept))
        fs.copyFileSync(file, kept);
    if (difference.v8 !== undefined) {
        fs.writeFileSync(`${kept}.glass`, difference.glass);
        fs.writeFileSync(`${kept}.v8`, difference.v8);
    }
    return kept;
}

function checkModules(runModule, files) {
    const counts = {modules: 0, differ: 0, calls: 0, traps: 0, exhausted: 0};
    for (const file of files) {
        const difference = check(runModule, file, counts);
        counts.modules++;
        if (difference === null)
            continue;
        counts.differ++;
        console.log(`${keep(file, difference)}: ${difference.reason.trim()}`);
    }
    console.log(`${counts.modules} modules, ${counts.calls} calls, ` +
        `${counts.traps} traps, ${counts.exhausted} out of stack; ` +
        `${counts.differ} differ`);
    // Were nothing called, nothing would have been compared.
    return counts.differ === 0 && counts.calls >= counts.modules;
}

function* makeModules(first, count, directory) {
    for (let seed = first; seed < first + count; seed++) {
        const file = makeModule(seed, directory);
        yield file;
        fs.rmSync(file);
    }
}

const [runModule, count = '60', first = '1'] = process.argv.slice(2);
if (runModule === undefined) {
    console.error('usage: v8.mjs RUN_MODULE [COUNT] [FIRST_SEED]\n' +
        '       v8.mjs RUN_MODULE --module MODULE.wasm');
    process.exit(2);
}
const directory =
    fs.mkdtempSync(path.join(os.tmpdir(), 'glass-differential-'));
try {
    const files = count === '--module'
        ? [first] : makeModules(Number(first), Number(count), directory);
    process.exitCode = checkModules(runModule, files) ? 0 : 1;
} finally {
    fs.rmSync(directory, {recursive: true});
}
