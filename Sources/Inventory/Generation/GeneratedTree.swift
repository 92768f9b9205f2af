import Foundation
public import SystemPackage

/// A *generated tree* is a folder with a Makefile, and with a Containerfile for each image and
/// platform.
public struct GeneratedTree: Sendable {
    /// The text of each file, by its path in the tree.
    public let files: [String: String]
    /// The folder that is copied to each path in the tree.
    public let copies: [String: FilePath]

    /// The limits of a context that is copied.
    private static let (mostFiles, mostBytes) = (10000, 512 << 20)

    public init(_ generation: ImageGeneration, in folder: InventoryFolder) throws(InventoryProblem) {
        var files = [
            "Makefile": Makefile(inventory: generation.inventory, settings: generation.settings, images: generation.images).text,
            "generator/Containerfile": GeneratorContainerfile.text,
        ]
        var copies: [String: FilePath] = [:]
        for image in generation.images {
            files["\(image.folder)/Containerfile"] = image.text
            if let context = image.image.context { copies["images/\(image.image.folder)/context"] = try folder.resolve(context) }
        }
        self.files = files
        self.copies = copies
    }

    /// Writes the tree, in place of the one that an earlier run wrote.
    ///
    /// - Throws: ``InventoryProblem`` if the folder has other files, or if it cannot be written.
    public func write(to folder: FilePath) throws(InventoryProblem) {
        let manager = FileManager.default
        let next = FilePath(folder.string + ".next")
        do {
            let old = try? manager.contentsOfDirectory(atPath: folder.string)
            if let old, !old.isEmpty, !Self.isTree(folder) {
                throw InventoryProblem(
                    file: folder.string, "the folder has files that odcs image generate did not write. Name a new or empty folder")
            }
            if manager.fileExists(atPath: next.string) { try manager.removeItem(atPath: next.string) }
            for (path, text) in files {
                let file = next.appending(path)
                try manager.createDirectory(atPath: file.removingLastComponent().string, withIntermediateDirectories: true)
                try Data(text.utf8).write(to: URL(fileURLWithPath: file.string))
            }
            for (path, source) in copies {
                let target = next.appending(path)
                try manager.createDirectory(atPath: target.string, withIntermediateDirectories: true)
                try copy(source, to: target)
            }
            if old != nil { try manager.removeItem(atPath: folder.string) }
            try manager.moveItem(atPath: next.string, toPath: folder.string)
        } catch let problem as InventoryProblem {
            throw problem
        } catch {
            throw InventoryProblem(file: folder.string, "the folder cannot be written: \(error.localizedDescription)")
        }
    }

    /// Whether a folder has a tree that this type has written.
    public static func isTree(_ folder: FilePath) -> Bool {
        let text = try? String(contentsOfFile: folder.appending("Makefile").string, encoding: .utf8)
        return text?.hasPrefix(Makefile.mark) == true
    }

    /// Copies files and folders. A symbolic link is copied if it stays in the folder.
    private func copy(_ source: FilePath, to target: FilePath) throws {
        let manager = FileManager.default
        var (count, bytes) = (0, 0)
        guard let entries = manager.enumerator(atPath: source.string) else { return }
        for case let entry as String in entries {
            count += 1
            let (from, to) = (source.appending(entry), target.appending(entry))
            let attributes = try manager.attributesOfItem(atPath: from.string)
            bytes += (attributes[.size] as? Int) ?? 0
            guard count <= Self.mostFiles, bytes <= Self.mostBytes else {
                throw InventoryProblem(
                    file: source.string, "the context has more than \(Self.mostFiles) files or \(Self.mostBytes >> 20) MB")
            }
            switch attributes[.type] as? FileAttributeType {
            case .typeDirectory: try manager.createDirectory(atPath: to.string, withIntermediateDirectories: true)
            case .typeRegular: try manager.copyItem(atPath: from.string, toPath: to.string)
            case .typeSymbolicLink:
                let link = try manager.destinationOfSymbolicLink(atPath: from.string)
                let end = from.removingLastComponent().pushing(FilePath(link)).lexicallyNormalized()
                guard end.starts(with: source) else { throw InventoryProblem(file: from.string, "the link leads out of the context") }
                try manager.createSymbolicLink(atPath: to.string, withDestinationPath: link)
            default: throw InventoryProblem(file: from.string, "a context has files, folders and links only")
            }
        }
    }
}
