import ContainerEngine
import Foundation
import Glibc
import ImageModel
import NIOPosix
import SystemPackage

/// The *node files* are folders of the worker on a node, as images, because an engine sees no file of
/// the worker. Example: the packages of a compose, which each RUN of a rebuild sees.
///
/// The name of such an image is made from the files in it. So a folder is sent to a node once, and the
/// next builds with the same compose use the image that is there. A sweep removes old ones.
struct NodeFiles {
    /// The repository of these images on a node.
    static let prefix = "localhost/odcs-files:"
    /// The age at which a sweep removes an image. One that a build uses stays in any case.
    static let lifetime = 6 * 3600.0

    private static let containerfileName = ".odcs-containerfile"
    /// The size up to which the content of a file counts, and not its time.
    private static let smallBytes = 1 << 16

    let node: EngineNode
    /// The engine gives an image for another platform to no build.
    let platform: Platform
    let isForPodman: Bool

    /// Brings a folder to the node. Builds that need the same folder at the same time share one transfer.
    ///
    /// - Returns: The name of its image there.
    func send(_ folder: FilePath) async throws -> String {
        let (key, bytes) = try await NIOThreadPool.singleton.runIfActive { try Self.facts(of: folder) }
        let name = "\(Self.prefix)\(key.hex.prefix(32))-\(platform.inNames)"
        return try await node.memory.turns.at("\(node.name) \(name)") {
            let known = try await node.asking { () throws(EngineFailure) in try await node.engine.image(named: name) }
            if known == nil { try await send(folder, of: bytes, as: name) }
            return name
        }
    }

    private func send(_ folder: FilePath, of bytes: Int, as name: String) async throws {
        try await checkRoom(for: bytes)
        let file = node.settings.scratch.appending("files-\(UUID().uuidString.lowercased()).tar")
        // At worst the next start of the worker removes it.
        defer { try? FileManager.default.removeItem(atPath: file.string) }
        try await NIOThreadPool.singleton.runIfActive {
            try ContextTar(
                folder, containerfile: "FROM scratch\nCOPY . /\n", named: Self.containerfileName, isForPodman: isForPodman
            ).write(to: file)
        }
        let build = EngineBuild(name: name, platform: platform, containerfile: Self.containerfileName, network: BuildNetwork.none.rawValue)
        try await node.asking { () throws(EngineFailure) in
            try await node.engine.build(build, context: FilePieces(file: file)) { _ in }
        }
    }

    /// Throws if the disk of the worker has no room for a copy of the files, or that of the node for their
    /// image. An engine has the files twice while it makes the image.
    private func checkRoom(for bytes: Int) async throws {
        let needed = "The build needs \(bytes.inMegabytes) of packages of composes"
        // A disk that cannot be asked fails by itself.
        if let free = try? node.settings.scratch.freeBytes(), free - node.settings.leastFreeBytes < bytes {
            throw NodeFailure(
                .diskFull,
                "\(needed). The disk of the worker has no room for a copy to send: \(free.inMegabytes) are free, "
                    + "and \(node.settings.leastFreeBytes.inMegabytes) must stay free. Give it more space.")
        }
        guard let free = try await node.freeBytes(), free < 2 * bytes else { return }
        throw NodeFailure(
            .diskFull,
            "\(needed). The node \(node.name) needs twice that space to take them, and has \(free.inMegabytes). Remove images from it "
                + "(odcs farm prune), or give it more space.")
    }

    /// Returns a digest of the names and contents of all files below a folder, and the bytes of the
    /// files. Of large files, the size and the time stand for the content. Files of a compose never
    /// change.
    static func facts(of folder: FilePath) throws -> (key: ImageDigest, bytes: Int) {
        guard let names = FileManager.default.enumerator(atPath: folder.string) else { throw Errno.noSuchFileOrDirectory }
        var (digest, bytes) = (RunningDigest(), 0)
        for name in names.compactMap({ $0 as? String }).sorted() {
            let path = folder.pushing(FilePath(name)).string
            var status = stat()
            guard lstat(path, &status) == 0 else { throw Errno(rawValue: errno) }
            var facts = [UInt8]("\(name)\0\(status.st_mode)\0".utf8)
            if status.st_mode & S_IFMT == S_IFREG { bytes += Int(status.st_size) }
            switch status.st_mode & S_IFMT {
            case S_IFREG where status.st_size <= smallBytes:
                facts += ImageDigest(of: [UInt8](try Data(contentsOf: URL(filePath: path)))).hex.utf8
            case S_IFREG: facts += "\(status.st_size) \(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)".utf8
            case S_IFLNK: facts += try FileManager.default.destinationOfSymbolicLink(atPath: path).utf8
            default: break
            }
            digest.update(facts + [0])
        }
        return (digest.digest, bytes)
    }
}

extension Int {
    /// For example `41 MB`. Less than a whole one counts as one.
    fileprivate var inMegabytes: String { "\(self < 1 << 20 && self > 0 ? 1 : self >> 20) MB" }
}
