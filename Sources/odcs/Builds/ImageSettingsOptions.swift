import ArgumentParser
import ComposeModel
import ForeignText
import Foundation
import ImageModel
import Inventory
import SystemPackage

/// The options for the tags, the caches, the needs and the content of an image.
struct ImageSettingsOptions: ParsableArguments {
    @Option(
        name: .customLong("tag"),
        help: ArgumentHelp("A tag of each build besides its date. {date} stands for the date. Repeatable.", valueName: "tag"))
    var tags: [String] = []
    @Option(
        name: .customLong("cache"),
        help: ArgumentHelp("A folder of the container that a worker keeps for the next build. Repeatable.", valueName: "name=path"))
    var caches: [NamedValue] = []
    @Option(help: ArgumentHelp("The free disk space that a build needs.", valueName: "size"), transform: Self.megabytes)
    var disk: Int?
    @Option(help: ArgumentHelp("The memory that a build needs.", valueName: "size"), transform: Self.megabytes)
    var memory: Int?
    @Option(
        help: ArgumentHelp("A JSON file with the request for the compose that builds install packages from.", valueName: "file"),
        completion: .file(extensions: ["json"]))
    var content: String?

    var isEmpty: Bool { tags.isEmpty && caches.isEmpty && disk == nil && memory == nil && content == nil }

    func apply(to definition: inout DefinitionDocument, in console: Console) throws {
        definition.tags = tags.isEmpty ? nil : tags
        definition.caches = NamedValue.dictionary(caches)
        definition.diskMegabytes = disk
        definition.memoryMegabytes = memory
        definition.content = try content.map { try Self.submission($0, in: console) }
    }

    private static func megabytes(_ text: String) throws -> Int {
        guard let size = Words.megabytes(text) else { throw ValidationError("\(text.quoted) is no size; write it as 10GB or 512MB") }
        return size
    }

    private static func submission(_ file: String, in console: Console) throws -> ComposeSubmission {
        let data: Data
        do {
            data = try Data(contentsOf: URL(filePath: console.path(file).string))
        } catch {
            throw CommandFailure(.error, "the file of --content, \(file.quoted), cannot be read: \(SettingsFile.reason(error))")
        }
        do {
            return try JSONDecoder().decode(ComposeSubmission.self, from: data)
        } catch {
            throw CommandFailure(
                .error,
                "\(file.quoted) has no request for a compose; write it as "
                    + "{\"source\": {\"type\": \"repo\", \"source\": \"https://…\", \"packages\": [\"ed\"]}}")
        }
    }
}
