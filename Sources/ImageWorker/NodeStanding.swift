import Foundation
public import Logging
import Synchronization
public import SystemPackage

/// A *node standing* says whether a worker still builds with its node. A node is disabled if it
/// reported a digest that the registry does not show for the image. The reason is in a file, so that a
/// restart of the worker does not enable the node again. An operator who has checked the host removes
/// the file.
public final class NodeStanding: Sendable {
    private let file: FilePath
    private let reason: Mutex<String?>
    private let logger: Logger

    /// The name of the file in the directory of a node.
    public static let fileName = "disabled"
    /// The maximum number of bytes of the reason. A longer text is cut off.
    private static let mostBytes = 4096

    /// - Parameter file: The file with the reason. It exists if the node is disabled.
    public init(_ file: FilePath, logger: Logger) {
        self.file = file
        self.logger = logger
        reason = Mutex(Self.reason(in: file))
        if let problem { log(problem) }
    }

    /// Why the node is disabled, in a sentence. `nil` if it is not.
    public var problem: String? { reason.withLock(\.self) }

    /// Returns the files of disabled nodes with their reasons.
    ///
    /// - Parameter parent: The directory with the directories of all nodes of this host.
    public static func disabled(below parent: FilePath) -> [(file: FilePath, reason: String)] {
        // Before the first worker there is no directory. One that cannot be read counts as empty.
        let names = (try? FileManager.default.contentsOfDirectory(atPath: parent.string)) ?? []
        return names.sorted().compactMap { name in
            let file = parent.appending(name).appending(fileName)
            return reason(in: file).map { (file, $0) }
        }
    }

    /// Returns the reason in a file, or `nil` if the node is not disabled.
    public static func reason(in file: FilePath) -> String? {
        guard let data = FileManager.default.contents(atPath: file.string) else { return nil }
        let text = String(decoding: data.prefix(mostBytes), as: UTF8.self).split(separator: "\n").joined(separator: " ")
        return text.isEmpty ? "An operator has disabled the node." : text
    }

    /// Disables the node. The first reason stays.
    func disable(because problem: String) {
        let isFirst = reason.withLock { reason in
            defer { reason = reason ?? problem }
            return reason == nil
        }
        guard isFirst else { return }
        do {
            try Data("\(problem)\n".utf8).write(to: URL(filePath: file.string), options: .atomic)
        } catch {
            logger.error("the reason cannot be kept; the node is enabled again when the worker restarts", metadata: ["error": "\(error)"])
        }
        log(problem)
    }

    private func log(_ problem: String) {
        logger.error(
            "no images are built here until the host was checked and the file was removed",
            metadata: ["reason": "\(problem)", "file": "\(file)"])
    }
}
