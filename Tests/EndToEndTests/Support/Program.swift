import Foundation
import Subprocess
import SystemPackage

/// A program run to its end.
struct Program: Error, CustomStringConvertible {
    let command: [String]
    let output: String
    let complaints: String
    /// The exit status; negative for the signal that ended it.
    let status: Int

    var isSuccess: Bool { status == 0 }

    var description: String { "\(command.joined(separator: " ")): status \(status)\n\(output)\(complaints)" }

    /// Runs a program, found in PATH if it is no path.
    static func run(_ command: [String], environment: [String: String?] = [:]) async throws -> Program {
        var changes: [Environment.Key: String?] = ["LC_ALL": "C.UTF-8"]
        for (name, value) in environment { changes[Environment.Key(stringLiteral: name)] = value }
        let executable: Executable = command[0].contains("/") ? .path(FilePath(command[0])) : .name(command[0])
        let result = try await Subprocess.run(
            executable, arguments: Arguments(Array(command.dropFirst())), environment: .inherit.updating(changes),
            output: .string(limit: 1 << 26), error: .string(limit: 1 << 24))
        let status =
            switch result.terminationStatus {
            case .exited(let code): Int(code)
            case .signaled(let signal): -Int(signal)
            }
        return Program(command: command, output: result.standardOutput, complaints: result.standardError, status: status)
    }

    /// As ``run(_:environment:)``; throws the program itself when it fails.
    @discardableResult
    static func succeed(_ command: String..., environment: [String: String?] = [:]) async throws -> Program {
        let program = try await run(command, environment: environment)
        guard program.isSuccess else { throw program }
        return program
    }

    /// Where this package's own programs were built, beside the tests that depend on them.
    static func own(_ name: String) -> String {
        FilePath(CommandLine.arguments[0]).removingLastComponent().appending(name).string
    }
}

/// The checkout that the tests were built from.
enum Checkout {
    static let directory = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()
        .removingLastComponent()
    static let testsRepo = directory.appending("tests-repo")
    static let lookaside = testsRepo.appending("lookaside")
}
