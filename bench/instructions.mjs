// instructions.mjs - counts the instructions that a WASI program does.
//
//     node --no-warnings --experimental-wasi-unstable-preview1 \
//         bench/instructions.mjs PROGRAM.wasm
//
// Runs it on V8, with a counter woven in: at the start of every stretch of
// code without a branch in or out, the number of its instructions is added to
// a global. What only gives structure (block, loop, else, end) is not counted.
// Prints the number to stderr; stdout is the program's.

import fs from 'node:fs';
import {WASI} from 'node:wasi';

const counterName = 'instructions counted';
const [CUSTOM, IMPORT, GLOBAL, EXPORT, CODE] = [0, 2, 6, 7, 10];

// ---- Reading

class Reader {
    constructor(bytes, at = 0) {
        this.bytes = bytes;
        this.at = at;
    }
    byte() {
        return this.bytes[this.at++];
    }
    skipNumber() {
        while (this.byte() >= 0x80);
    }
    number() {
        let value = 0;
        for (let scale = 1;; scale *= 128) {
            const byte = this.byte();
            value += (byte & 0x7f) * scale;
            if (byte < 0x80)
                return value;
        }
    }
    skip(count) {
        this.at += count;
    }
    skipVector(skipItem) {
        for (let count = this.number(); count > 0; count--)
            skipItem();
    }
}

function unsigned(value) {
    const bytes = [];
    for (; value >= 128; value = Math.floor(value / 128))
        bytes.push(value % 128 + 128);
    return [...bytes, value];
}

function signed(value) {
    const bytes = [];
    for (; value >= 64; value = Math.floor(value / 128))
        bytes.push(value % 128 + 128);
    return [...bytes, value];
}

// ---- Instructions

const [LOOP, IF, ELSE, END, BLOCK] = [0x03, 0x04, 0x05, 0x0b, 0x02];
const structure = new Set([BLOCK, LOOP, ELSE, END]);
// unreachable, loop, if, else, end, br, br_if, br_table, return
const stretchEnds =
    new Set([0x00, LOOP, IF, ELSE, END, 0x0c, 0x0d, 0x0e, 0x0f]);

// Numbers behind 0xfc and its second opcode.
const prefixed = [0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 2, 1, 2, 1, 2, 1, 1, 1];

function skipImmediates(code, opcode) {
    const skip = count => {
        while (count-- > 0)
            code.skipNumber();
    };
    if (opcode === 0x0e) {
        code.skipVector(() => code.skipNumber());
        code.skipNumber();
    } else if (opcode === 0x1c) {
        code.skipVector(() => code.skipNumber());
    } else if (opcode === 0x11 || opcode >= 0x28 && opcode <= 0x3e) {
        skip(2);
    } else if (opcode === BLOCK || opcode === LOOP || opcode === IF ||
        opcode === 0x0c || opcode === 0x0d || opcode === 0x10 ||
        opcode >= 0x20 && opcode <= 0x26 || opcode === 0xd0 ||
        opcode === 0xd2 || opcode >= 0x3f && opcode <= 0x42) {
        skip(1);
    } else if (opcode === 0x43) {
        code.skip(4);
    } else if (opcode === 0x44) {
        code.skip(8);
    } else if (opcode === 0xfc) {
        skip(prefixed[code.number()]);
    } else if (opcode > 0xc4 && opcode !== 0xd1) {
        throw new Error(`unknown instruction 0x${opcode.toString(16)}`);
    }
}

// The body of a function with the counter woven in.
function weaveBody(body, counter) {
    const code = new Reader(body);
    const parts = [];
    code.skipVector(() => {
        code.skipNumber();
        code.skipNumber();
    });
    parts.push(body.subarray(0, code.at));
    while (code.at < body.length) {
        const begin = code.at;
        let count = 0, opcode;
        do {
            opcode = code.byte();
            skipImmediates(code, opcode);
            count += structure.has(opcode) ? 0 : 1;
        } while (!stretchEnds.has(opcode));
        if (count > 0)
            parts.push(Buffer.from([
                0x23, ...unsigned(counter), 0x42, ...signed(count), 0x7c,
                0x24, ...unsigned(counter),
            ]));
        parts.push(body.subarray(begin, code.at));
    }
    return Buffer.concat(parts);
}

// ---- Sections

function countImportedGlobals(content) {
    const reader = new Reader(content);
    let count = 0;
    reader.skipVector(() => {
        for (let i = 0; i < 2; i++)
            reader.skip(reader.number());
        const kind = reader.byte();
        if (kind === 0) {
            reader.skipNumber();
        } else if (kind === 3) {
            reader.skip(2);
            count++;
        } else {
            reader.skip(kind === 1 ? 1 : 0);
            for (let numbers = 1 + reader.byte() % 2; numbers > 0; numbers--)
                reader.skipNumber();
        }
    });
    return count;
}

// The vector with one item more.
function append(content, item) {
    const reader = new Reader(content);
    const count = reader.number();
    return Buffer.concat([
        Buffer.from(unsigned(count + 1)), content.subarray(reader.at),
        Buffer.from(item),
    ]);
}

function weaveCode(content, counter) {
    const reader = new Reader(content);
    const count = reader.number();
    const parts = [Buffer.from(unsigned(count))];
    for (let i = 0; i < count; i++) {
        const length = reader.number();
        const body = weaveBody(
            content.subarray(reader.at, reader.at + length), counter);
        parts.push(Buffer.from(unsigned(body.length)), body);
        reader.skip(length);
    }
    return Buffer.concat(parts);
}

function weave(module) {
    const reader = new Reader(module, 8);
    const parts = [module.subarray(0, 8)];
    let counter = 0;
    while (reader.at < module.length) {
        const id = reader.byte();
        const length = reader.number();
        let content = module.subarray(reader.at, reader.at + length);
        reader.skip(length);
        if (id === IMPORT) {
            counter = countImportedGlobals(content);
        } else if (id === GLOBAL) {
            counter += new Reader(content).number();
            content = append(content, [0x7e, 1, 0x42, 0, END]);
        } else if (id === EXPORT) {
            const name = Buffer.from(counterName);
            content = append(content,
                [...unsigned(name.length), ...name, 3, ...unsigned(counter)]);
        } else if (id === CODE) {
            content = weaveCode(content, counter);
        }
        if (id !== CUSTOM)
            parts.push(Buffer.from([id, ...unsigned(content.length)]),
                content);
    }
    return Buffer.concat(parts);
}

const [file] = process.argv.slice(2);
const module = new WebAssembly.Module(weave(fs.readFileSync(file)));
const wasi = new WASI({version: 'preview1', args: [file],
    returnOnExit: true});
const instance = new WebAssembly.Instance(module,
    {wasi_snapshot_preview1: wasi.wasiImport});
const status = wasi.start(instance);
console.error(`instructions ${instance.exports[counterName].value}`);
process.exitCode = status;
