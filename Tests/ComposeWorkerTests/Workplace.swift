import ComposeModel
import Foundation
import Subprocess
import SystemPackage

@testable import ComposeWorker

/// A directory of its own for a test, with the log of a compose in it; removed at the end.
struct Workplace: Sendable {
    let directory: FilePath
    let log: ComposeLog

    static func with<Result>(_ body: (Workplace) async throws -> Result) async throws -> Result {
        let directory = FilePath(FileManager.default.temporaryDirectory.path).appending("odcs-worker-\(UUID().uuidString)")
        try FileManager.default.createDirectory(atPath: directory.string, withIntermediateDirectories: true)
        let place = Workplace(
            directory: directory, log: try ComposeLog(directory.appending("log"), until: LeaseDeadline(length: .seconds(3600))))
        let result: Swift.Result<Result, any Error>
        do { result = .success(try await body(place)) } catch { result = .failure(error) }
        try FileManager.default.removeItem(atPath: directory.string)
        return try result.get()
    }

    /// The lines of the log, without time and level.
    var logged: [String] {
        get throws {
            try text("log").split(separator: "\n").map { String($0.dropFirst("2026-11-21T10:00:00Z INFO  ".count)) }
        }
    }

    func text(_ name: String) throws -> String { try String(contentsOfFile: directory.appending(name).string, encoding: .utf8) }

    func write(_ text: String, to name: String, isProgram: Bool = false) throws {
        let file = directory.appending(name)
        try FileManager.default.createDirectory(atPath: file.removingLastComponent().string, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(filePath: file.string))
        if isProgram { try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file.string) }
    }

    /// Runs a program to its end and returns what it prints.
    @discardableResult
    func run(_ program: String, _ arguments: [String], in name: String = "") async throws -> String {
        let result = try await Subprocess.run(
            program.hasPrefix("/") ? .path(FilePath(program)) : .name(program), arguments: Arguments(arguments),
            workingDirectory: name.isEmpty ? directory : directory.appending(name),
            output: .string(limit: 1 << 20), error: .string(limit: 1 << 20))
        guard result.terminationStatus.isSuccess else { throw ProgramFailed(text: result.standardOutput + result.standardError) }
        return result.standardOutput
    }

    struct ProgramFailed: Error {
        let text: String
    }
}

/// The root of the project.
let checkout = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()
