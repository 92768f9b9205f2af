import Foundation
import Inventory
import Processes
import Synchronization
import SystemPackage

/// The Makefile of a generated tree, as a program to run.
struct TreeMakefile {
    private let name: String
    private let folder: FilePath
    private let console: Console

    /// - Throws: ``CommandFailure`` if the folder is not a generated tree.
    init(_ name: String, in console: Console) throws {
        self.name = name
        self.console = console
        folder = console.path(name)
        guard GeneratedTree.isTree(folder) else {
            throw CommandFailure(.error, "the folder \(name) is not one that 'odcs image generate' wrote")
        }
    }

    /// Returns what the tree pushes, with the variables of the environment.
    func references() async throws -> TreeReferences {
        let lines = Lines()
        let ending = try await run(["references"], console.environment) { lines.append($0) }
        guard ending == .exited(0) else {
            throw CommandFailure(
                .error, "make references \(ending.inWords): \(lines.all.suffix(3).joined(separator: " ")); generate the tree again")
        }
        return try CommandFailure.explaining { () throws(InventoryProblem) in
            try TreeReferences(lines.all.joined(separator: "\n"))
        }
    }

    /// Makes a target of the tree. The output of the programs goes to the stream for people.
    func make(_ target: String, jobs: Int, pushOptions: [String]) async throws {
        var environment = console.environment
        environment[BuiltInVariable.extraPushArguments.rawValue] = pushOptions.joined(separator: " ")
        let ending = try await run(["-j\(jobs)", target], environment) { [console] line in
            // A closed stream is no reason to end.
            try? console.err.line(line)
        }
        guard ending == .exited(0) else {
            throw CommandFailure(
                .error,
                "make \(target) \(ending.inWords), as the lines above explain, and no manifest list was written; if an image is missing, "
                    + "build it with: make -C \(name) build")
        }
    }

    private func run(
        _ arguments: [String], _ environment: [String: String], line: @escaping @Sendable (String) -> Void
    ) async throws -> ChildProcess.Ending {
        // These variables come from another make, which waits for this command.
        let foreign = ["MAKEFLAGS", "MFLAGS", "MAKELEVEL"]
        let output = OutputTail(write: line)
        let make = ChildProcess(
            program: "make", arguments: ["-s", "--no-print-directory"] + arguments,
            environment: environment.filter { !foreign.contains($0.key) },
            directory: folder)
        do {
            let ending = try await make.run { output.append($0) }
            output.finish()
            return ending
        } catch let error as ChildProcess.CannotStart {
            throw CommandFailure(.error, error.isAbsent ? "there is no make on this host; install GNU make" : "make cannot be started")
        }
    }
}

/// The lines that a program has printed.
private final class Lines: Sendable {
    private let lines = Mutex<[String]>([])

    var all: [String] { lines.withLock(\.self) }

    func append(_ line: String) { lines.withLock { $0.append(line) } }
}
