import ArgumentParser
import ComposeClient
import ContainerEngine
import Foundation
import ImageArchive
import ImageFetch
import ImageModel
import NIOCore
import NIOPosix
import SystemPackage

/// The command `odcs load`.
struct Load: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load",
        abstract: "Put fetched images into docker or podman on this host.",
        discussion: """
            An image that the engine has under the same name is skipped. The engine is found by its socket: CONTAINER_HOST or DOCKER_HOST
            (unix://…), else the usual places of podman and docker.

            EXAMPLE
              odcs load debian:12.zst --delete
            """)

    @Argument(help: ArgumentHelp("Archives of 'odcs fetch', in the form docker-archive.", valueName: "file"), completion: .file())
    var files: [String]

    @Option(help: ArgumentHelp("The socket of the engine.", valueName: "path"), completion: .file())
    var socket: String?

    @Flag(help: "Delete each archive that is in the engine afterwards.")
    var delete = false

    func run() async throws {
        let console = Console.current
        let engine = ContainerEngine(socket: try place(in: console))
        let done: Void? = try await console.unlessInterrupted {
            for file in files {
                let path = console.path(file)
                do {
                    let image = try ArchivedImage(path)
                    let isThere = try await image.isIn(engine)
                    if !isThere { try await engine.load(image.content) }
                    if delete { try FileManager.default.removeItem(atPath: path.string) }
                    try console.out.line(
                        "\(image.title) \(isThere ? "is there already" : "is loaded")\(delete ? ", and \(file) is deleted" : "")")
                } catch let failure as EngineFailure where failure.code != .canceled {
                    throw CommandFailure(.error, "\(file): \(failure)")
                } catch let error as ImageArchiveError {
                    let named = error.message.hasPrefix("\(path.lastComponent?.string ?? file): ")
                    throw CommandFailure(.error, named ? error.message : "\(file): \(error.message)")
                }
            }
        }
        guard done != nil else { throw CommandFailure(.interrupted, "interrupted; the image may be in the engine or not") }
    }

    private func place(in console: Console) throws -> FilePath {
        // The variables of docker and podman have this prefix.
        if let socket { return console.path(String(socket.trimmingPrefix("unix://"))) }
        let places = EngineSocket.places(console.environment)
        guard let found = places.first(where: { FileManager.default.fileExists(atPath: $0.string) }) else {
            throw CommandFailure(
                .error, "there is no container engine at \(places.map(\.string).joined(separator: ", ")); name its socket with --socket")
        }
        return found
    }
}

/// The one image in an archive.
private struct ArchivedImage {
    let path: FilePath
    let image: DockerArchiveReader.Image

    var title: String { image.names.first ?? image.id.description }

    init(_ path: FilePath) throws {
        self.path = path
        let images = try DockerArchiveReader(path).images()
        guard images.count == 1 else {
            throw CommandFailure(.error, "\(path.lastComponent?.string ?? "the archive") has \(images.count) images; one is expected")
        }
        image = images[0]
    }

    /// Returns whether the engine has the image under all its names.
    func isIn(_ engine: ContainerEngine) async throws -> Bool {
        guard let names = try await engine.names(of: image.id) else { return false }
        // podman writes names of Docker Hub in full.
        let known = Set(names.compactMap { try? ImageReference($0) })
        return image.names.allSatisfy { name in (try? ImageReference(name)).map(known.contains) ?? false }
    }

    /// The bytes of the archive. Both engines read Zstandard.
    var content: FileBytes { FileBytes(path) }
}
