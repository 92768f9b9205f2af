import Subprocess
import SystemPackage

/// A program that the tests compare with.
struct Tool: Error, CustomStringConvertible {
    let command: [String]
    let output: String
    let complaints: String

    var description: String { "\(command.joined(separator: " "))\n\(output)\(complaints)" }

    /// Runs a program to its end; throws itself when that fails.
    @discardableResult
    static func run(_ command: String..., environment: [String: String] = [:]) async throws -> Tool {
        try await run(command, environment: environment)
    }

    @discardableResult
    static func run(_ command: [String], environment: [String: String] = [:]) async throws -> Tool {
        var changes: [Environment.Key: String?] = ["LC_ALL": "C.UTF-8"]
        for (name, value) in environment { changes[Environment.Key(stringLiteral: name)] = value }
        let result = try await Subprocess.run(
            .name(command[0]), arguments: Arguments(Array(command.dropFirst())), environment: .inherit.updating(changes),
            output: .string(limit: 1 << 24), error: .string(limit: 1 << 20))
        let tool = Tool(command: command, output: result.standardOutput, complaints: result.standardError)
        guard result.terminationStatus.isSuccess else { throw tool }
        return tool
    }
}
