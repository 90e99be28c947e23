// Made by "bun build/declarations.ts" from src: do not edit.
/// <reference path="./declarations.d.cts" />
export * from "aegis-kexec:index";
