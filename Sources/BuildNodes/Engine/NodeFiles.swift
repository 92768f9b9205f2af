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

    /// Brings a folder to the node. Returns the name of its image there.
    func send(_ folder: FilePath) async throws -> String {
        let key = try await NIOThreadPool.singleton.runIfActive { try Self.key(of: folder) }
        let name = "\(Self.prefix)\(key.hex.prefix(32))-\(platform.inNames)"
        let known = try await node.asking { () throws(EngineFailure) in try await node.engine.image(named: name) }
        if known != nil { return name }
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
        return name
    }

    /// Returns a digest of the names and contents of all files below a folder. Of large files, the size and
    /// the time stand for the content. Files of a compose never change.
    static func key(of folder: FilePath) throws -> ImageDigest {
        guard let names = FileManager.default.enumerator(atPath: folder.string) else { throw Errno.noSuchFileOrDirectory }
        var digest = RunningDigest()
        for name in names.compactMap({ $0 as? String }).sorted() {
            let path = folder.pushing(FilePath(name)).string
            var status = stat()
            guard lstat(path, &status) == 0 else { throw Errno(rawValue: errno) }
            var facts = [UInt8]("\(name)\0\(status.st_mode)\0".utf8)
            switch status.st_mode & S_IFMT {
            case S_IFREG where status.st_size <= smallBytes:
                facts += ImageDigest(of: [UInt8](try Data(contentsOf: URL(filePath: path)))).hex.utf8
            case S_IFREG: facts += "\(status.st_size) \(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)".utf8
            case S_IFLNK: facts += try FileManager.default.destinationOfSymbolicLink(atPath: path).utf8
            default: break
            }
            digest.update(facts + [0])
        }
        return digest.digest
    }
}
