import Foundation
public import Logging
public import NIOSSL
public import ServiceLifecycle
import Synchronization

/// The TLS of the service. New connections use the current content of the files, so a renewed
/// certificate needs no restart.
public final class ServerTLS: Service {
    /// The pause between two looks at the files.
    private static let pause = Duration.seconds(2)

    private struct State {
        var context: NIOSSLContext
        var revoked: Set<String>
        /// The files as they were at the last look.
        var stamps: [Stamp?]
    }

    /// The properties of a file that change when its content does.
    private struct Stamp: Hashable {
        var size: Int
        var time: Date
        var number: Int
    }

    private let files: TLSFiles
    private let logger: Logger
    private let clock: any Clock<Duration>
    private let state: Mutex<State>

    /// Whether clients are asked for a certificate.
    public var asksForCertificates: Bool { files.clientAuthorities != nil }

    /// - Throws: ``TLSFileProblem`` if a file cannot be used.
    public init(_ files: TLSFiles, clock: any Clock<Duration> = ContinuousClock(), logger: Logger) throws(TLSFileProblem) {
        self.files = files
        self.clock = clock
        self.logger = logger
        // The look comes first, so that a change during the reading is seen.
        let stamps = files.all.map(Self.stamp)
        state = Mutex(State(context: try Self.context(files), revoked: try Self.revoked(files), stamps: stamps))
    }

    /// The context for a new connection.
    public var context: NIOSSLContext { state.withLock { $0.context } }

    /// Returns whether a client certificate was revoked, by its serial number.
    public func isRevoked(serial: String) -> Bool { state.withLock { $0.revoked.contains(serial) } }

    /// Reads files that change, until the graceful shutdown.
    public func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            while !Task.isCancelled {
                // The error of a sleep says that the service ends.
                try? await clock.sleep(for: Self.pause)
                reloadIfChanged()
            }
        }
    }

    /// Reads the files if they have changed. If they cannot be used, the last ones stay in use.
    func reloadIfChanged() {
        let stamps = files.all.map(Self.stamp)
        guard state.withLock({ $0.stamps != stamps }) else { return }
        do {
            let (context, revoked) = (try Self.context(files), try Self.revoked(files))
            state.withLock { $0 = State(context: context, revoked: revoked, stamps: stamps) }
            logger.notice("the files of TLS were read again")
        } catch {
            // A certificate and its key are often written one after the other.
            state.withLock { $0.stamps = stamps }
            logger.error("the files of TLS have changed, but cannot be used; the last ones stay in use", metadata: ["reason": "\(error)"])
        }
    }

    private static func stamp(_ file: String) -> Stamp? {
        // An error says that there is no file, which is a change like any other. Reading the file explains it.
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: URL(filePath: file).resolvingSymlinksInPath().path),
            let size = attributes[.size] as? Int, let time = attributes[.modificationDate] as? Date,
            let number = attributes[.systemFileNumber] as? Int
        else { return nil }
        return Stamp(size: size, time: time, number: number)
    }

    private static func context(_ files: TLSFiles) throws(TLSFileProblem) -> NIOSSLContext {
        let chain: [NIOSSLCertificate]
        do { chain = try NIOSSLCertificate.fromPEMFile(files.certificate) } catch {
            throw TLSFileProblem("\(files.certificate) does not exist, or has no certificate in PEM form")
        }
        let key: NIOSSLPrivateKey
        do { key = try NIOSSLPrivateKey(file: files.key, format: .pem) } catch {
            throw TLSFileProblem("\(files.key) does not exist, or has no key in PEM form without a password")
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        if let authorities = files.clientAuthorities {
            let trusted: [NIOSSLCertificate]
            do { trusted = try NIOSSLCertificate.fromPEMFile(authorities) } catch {
                throw TLSFileProblem("\(authorities) does not exist, or has no certificate in PEM form")
            }
            // An empty list would stand for the authorities of the system.
            guard !trusted.isEmpty else { throw TLSFileProblem("\(authorities) has no certificate in PEM form") }
            configuration.trustRoots = .certificates(trusted)
            configuration.certificateVerification = .optionalVerification
        }
        do { return try NIOSSLContext(configuration: configuration) } catch {
            throw TLSFileProblem("\(files.key) is not the key of the certificate in \(files.certificate)")
        }
    }

    private static func revoked(_ files: TLSFiles) throws(TLSFileProblem) -> Set<String> {
        guard let file = files.revokedSerials else { return [] }
        guard let bytes = FileManager.default.contents(atPath: file), let text = String(validating: bytes, as: UTF8.self) else {
            throw TLSFileProblem("\(file) does not exist, or is not text")
        }
        var serials: Set<String> = []
        for line in text.split(whereSeparator: \.isNewline) {
            let word = line.prefix { $0 != "#" }.filter { !$0.isWhitespace }
            if word.isEmpty { continue }
            guard let serial = SerialNumber.text(written: word) else {
                throw TLSFileProblem("\(file) has a line that is not a serial number in hexadecimal")
            }
            serials.insert(serial)
        }
        return serials
    }
}
