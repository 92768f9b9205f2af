import Foundation
import Inventory
import SystemPackage

/// A folder with files, which is removed with this object.
final class TemporaryFolder: Sendable {
    let path: FilePath

    init(_ files: [String: String] = [:]) throws {
        let manager = FileManager.default
        path = FilePath(manager.temporaryDirectory.path).appending("InventoryTests-\(UUID().uuidString)")
        try manager.createDirectory(atPath: path.string, withIntermediateDirectories: true)
        for (name, text) in files {
            let file = path.appending(name)
            try manager.createDirectory(atPath: file.removingLastComponent().string, withIntermediateDirectories: true)
            try Data(text.utf8).write(to: URL(fileURLWithPath: file.string))
        }
    }

    deinit {
        // Left over in the temporary folder at worst.
        try? FileManager.default.removeItem(atPath: path.string)
    }

    func text(_ name: String) throws -> String { try String(contentsOfFile: path.appending(name).string, encoding: .utf8) }

    var folder: InventoryFolder {
        get throws { try InventoryFolder(path.string, in: "/") }
    }

    /// Reads the inventory. Returns the problem if there is one, without the folder's path.
    func problem() -> String? {
        do {
            _ = try folder.inventory()
            return nil
        } catch {
            return shown(error)
        }
    }

    func shown(_ error: any Error) -> String { "\(error)".replacing(path.string + "/", with: "") }
}

/// What a generation of an inventory's files comes to.
func generation(
    _ files: [String: String], environment: [String: String] = [:], options: GenerationSettings.Options = GenerationSettings.Options(),
    release: String? = nil, keepsAll: Bool = false
) throws -> (generation: ImageGeneration, problems: [String], files: TemporaryFolder) {
    let temporary = try TemporaryFolder(files)
    let folder = try temporary.folder
    let inventory = try folder.inventory()
    let settings = try GenerationSettings(
        inventory, environment: environment, options: options, directory: temporary.path, release: release)
    let generation = ImageGeneration(inventory, in: folder, settings: settings, keepsAll: keepsAll)
    return (generation, generation.problems.map(temporary.shown), temporary)
}
