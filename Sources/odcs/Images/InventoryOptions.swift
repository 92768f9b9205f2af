import ArgumentParser
import ForeignText
import Foundation
import Inventory
import SystemPackage

extension InventoryFolder {
    /// Opens the folder that the user named.
    ///
    /// - Throws: ``CommandFailure`` with the problem.
    static func opened(_ name: String, in console: Console) throws -> InventoryFolder {
        try CommandFailure.explaining { () throws(InventoryProblem) in try InventoryFolder(name, in: FilePath(console.directory)) }
    }
}

extension GenerationSettings {
    /// Returns the settings from options, and from the environment of the console.
    static func settings(_ inventory: Inventory, _ options: Options = Options(), in console: Console) throws -> GenerationSettings {
        let release = try? String(contentsOfFile: "/etc/redhat-release", encoding: .utf8)
        return try CommandFailure.explaining { () throws(InventoryProblem) in
            try GenerationSettings(
                inventory, environment: console.environment, options: options, directory: FilePath(console.directory), release: release)
        }
    }
}

extension CommandFailure {
    /// Runs `body`. Turns its problem into the end of the command.
    static func explaining<Value>(_ body: () throws(InventoryProblem) -> Value) throws -> Value {
        do {
            return try body()
        } catch {
            throw CommandFailure(.error, error.description)
        }
    }

    /// Returns the end of a command with several problems, one on each line.
    static func problems(_ problems: [InventoryProblem]) -> CommandFailure {
        CommandFailure(.error, problems.map(\.description).joined(separator: "\nodcs: "))
    }
}
