import Subprocess

/// A program that the tests compare with.
struct Tool: Error, CustomStringConvertible {
    let command: [String]
    let output: String
    let complaints: String

    var description: String { "\(command.joined(separator: " "))\n\(output)\(complaints)" }

    /// Runs a program to its end. Throws itself if the program fails.
    @discardableResult
    static func run(_ command: String...) async throws -> Tool {
        let result = try await Subprocess.run(
            .name(command[0]), arguments: Arguments(Array(command.dropFirst())), environment: .inherit.updating(["LC_ALL": "C.UTF-8"]),
            output: .string(limit: 1 << 20), error: .string(limit: 1 << 20))
        let tool = Tool(command: command, output: result.standardOutput, complaints: result.standardError)
        guard result.terminationStatus.isSuccess else { throw tool }
        return tool
    }
}
