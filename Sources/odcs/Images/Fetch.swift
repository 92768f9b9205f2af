import ArgumentParser
import ForeignText
import Foundation
import ImageArchive
import ImageFetch
import ImageModel
import NIOPosix
import Registry
import SystemPackage

/// The command `odcs fetch`.
struct Fetch: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fetch",
        abstract: "Fetch container images for builds without a network.",
        discussion: """
            It needs no ODCS service. An image is kept in a cache, and gets a name in the directory of --into.

            EXAMPLES
              odcs fetch debian:12 --arch armhf
              odcs fetch 'docker://r.example.org/web;digest=sha256:…;tag=1'
              odcs fetch debian:12 --unpack rootfs
              odcs fetch debian:12 --json        for programs

            ENVIRONMENT
              DL_DIR              the cache, unless --cache names one
              BB_STRICT_CHECKSUM  1: as --checksum strict; ignore: as --checksum ignore
              ZSTD_DEFAULTS       options of zstd, of which the level counts
              REGISTRY_AUTH_FILE  the file with credentials, as for podman
            """)

    @Argument(help: ArgumentHelp("docker://[HOST/]IMAGE;digest=sha256:…[;tag=TAG], or a reference such as debian:12.", valueName: "image"))
    var images: [String]

    @Option(
        help: ArgumentHelp("An architecture, as amd64 or armhf, or a platform, as linux/arm/v7. Default: this host's.", valueName: "arch"),
        transform: Self.platform)
    var arch: Platform = .host

    @Option(help: ArgumentHelp("The directory of the cache. Default: DL_DIR or ~/.cache/odcs.", valueName: "dir"), completion: .directory)
    var cache: String?

    @Option(help: ArgumentHelp("The directory that gets the image as NAME:TAG.zst.", valueName: "dir"), completion: .directory)
    var into = "."

    @Option(help: ArgumentHelp("An image without a digest: warn, fail (strict), or be silent (ignore).", valueName: "how"))
    var checksum: ChecksumPolicy?

    @Option(
        help: ArgumentHelp("The form of the archive: docker-archive, or oci-archive, which keeps the digest.", valueName: "form"),
        transform: Self.format)
    var format: CacheName.Format = .dockerArchive

    @Option(help: ArgumentHelp("How much to compress a docker-archive, 1 to 22. Default: 3.", valueName: "n"))
    var zstdLevel: Int?

    @Option(
        help: ArgumentHelp("Also unpack the image's files into this directory, which must be empty.", valueName: "dir"),
        completion: .directory)
    var unpack: String?

    @Flag(help: "Take it from the cache, and ask no registry.")
    var offline = false

    @Flag(help: "Compute the SHA-256 of an archive in the cache, even if its file has not changed.")
    var verify = false

    @Flag(help: "Speak to a registry on this host without TLS.")
    var insecure = false

    // --json is one of these options. The others are of no use here.
    @OptionGroup(visibility: .hidden) var connection: ConnectionOptions

    func validate() throws {
        if let zstdLevel, !(1...22).contains(zstdLevel) { throw ValidationError("--zstd-level must be from 1 to 22, not \(zstdLevel).") }
        if unpack != nil, images.count > 1 {
            throw ValidationError("--unpack needs exactly one image, because a directory has the files of one.")
        }
    }

    func run() async throws {
        let console = Console.current
        let environment = FetchEnvironment(console.environment)
        let policy = checksum ?? environment.checksum
        let addresses = try images.map { text in try Self.failing { try FetchAddress(text) } }
        let requests = addresses.map {
            FetchRequest(
                $0, platform: arch, format: format, zstdLevel: zstdLevel ?? environment.zstdLevel, isOffline: offline, verifies: verify)
        }
        let directory = console.path(cache ?? environment.cache)
        try Self.make(directory, "the cache")
        try Self.make(console.path(into), "the directory")
        let settings = try RegistrySettings.current(in: console, isLoopbackInsecure: insecure)
        let done: Void? = try await console.unlessInterrupted {
            try await settings.withClient(in: console) { registry in
                let fetcher = ImageFetcher(registry: registry, cache: DownloadCache(directory), threadPool: .singleton)
                for request in requests {
                    try await fetch(request, fetcher, policy, console)
                }
            }
        }
        guard done != nil else { throw CommandFailure(.interrupted, "interrupted; the next fetch goes on where this one stopped") }
    }

    private func fetch(_ request: FetchRequest, _ fetcher: ImageFetcher, _ policy: ChecksumPolicy, _ console: Console) async throws {
        let address = request.address
        if policy == .strict, address.digest == nil {
            let pin = try await Self.failing { try await fetcher.pin(request) }
            throw CommandFailure(
                .composeFailed, "\(address) has no digest, and --checksum is strict. With its digest it is:\n\(address.pinned(to: pin))")
        }
        let progress = FetchProgressLine(address, console: console, isQuiet: connection.json)
        let image = try await Self.failing {
            defer { progress.end() }
            return try await fetcher.fetch(request) { progress.show($0) }
        }
        let file = try Self.failing { console.path(into).appending(try image.place.workName(tag: address.tag).text) }
        let delivery = try await Self.failing { try await fetcher.deliver(image, as: file) }
        if let unpack { try await Self.failing { try await fetcher.unpack(image, into: console.path(unpack)) } }
        if policy == .warn, address.digest == nil {
            try console.err.line(
                "odcs: \(address) has no digest, so another image may come tomorrow. To fix it, write:\n\(address.pinned(to: image.pin))")
        }
        let report = FetchReport(request, image, file: file, delivery)
        try connection.print(report, or: report.text)
    }

    /// Makes a directory and those above it, if it does not exist.
    private static func make(_ directory: FilePath, _ role: String) throws {
        do {
            try FileManager.default.createDirectory(atPath: directory.string, withIntermediateDirectories: true)
        } catch {
            throw CommandFailure(.error, "\(role) \(directory) cannot be made; name another one, or make it yourself")
        }
    }

    private static func platform(_ text: String) throws -> Platform {
        do throws(ImageProblem) { return try Platform(text) } catch { throw ValidationError(error.description) }
    }

    private static func format(_ text: String) throws -> CacheName.Format {
        guard let format = CacheName.Format(rawValue: text) else {
            throw ValidationError("--format must be \(CacheName.Format.allCases.map(\.rawValue).joined(separator: " or ")), not '\(text)'.")
        }
        return format
    }

    /// Runs `body`. Its failure ends the command with its explanation.
    private static func failing<Result>(_ body: () async throws -> Result) async throws -> Result {
        do { return try await body() } catch { throw failure(error) }
    }

    private static func failing<Result>(_ body: () throws -> Result) throws -> Result {
        do { return try body() } catch { throw failure(error) }
    }

    private static func failure(_ error: any Error) -> any Error {
        switch error {
        case let failure as FetchFailure: CommandFailure(failure.code == .registry ? .error : .composeFailed, failure.description)
        case let failure as ImageArchiveError: CommandFailure(.error, failure.message)
        case let problem as ImageProblem: CommandFailure(.error, problem.description)
        default: error
        }
    }
}

/// The treatment of an address without a digest.
enum ChecksumPolicy: String, ExpressibleByArgument, CaseIterable {
    case warn, strict, ignore
}
