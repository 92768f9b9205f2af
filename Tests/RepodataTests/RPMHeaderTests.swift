import Compression
import Foundation
import Repodata
import SystemPackage
import Testing

@Suite("RPM headers")
struct RPMHeaderTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func sample(_ name: String) async throws -> FilePath { try await SampleRepository.shared.path.appending(name) }

    @Test("a binary package tells what rpm tells of it")
    func binary() async throws {
        let file = try await sample("greeter-1.0~rc1-3.noarch.rpm")
        let header = try RPMHeader(reading: file)
        #expect(header.nevra == NEVRA(name: "greeter", epoch: 2, version: "1.0~rc1", release: "3", arch: "noarch"))
        #expect(header.sourceRPM == "greeter-1.0~rc1-3.src.rpm")
        #expect(header.signingKeyIDs == [])
        let rpm = try await Tool.run("rpm", "-qp", "--qf", "%{PAYLOADDIGEST}", file.string)
        #expect(header.payloadDigest == Checksum(.sha256, hex: rpm.output))
        let primary = String(decoding: try await SampleRepository.shared.metadata.primary.bytes, as: UTF8.self)
        #expect(primary.contains("<rpm:header-range start=\"\(header.headerRange.lowerBound)\" end=\"\(header.headerRange.upperBound)\"/>"))
    }

    @Test("a source package is of the architecture src and has no source package")
    func source() async throws {
        let header = try RPMHeader(reading: try await sample("oldtimer-0.1-1.src.rpm"))
        #expect(header.nevra == NEVRA(name: "oldtimer", version: "0.1", release: "1", arch: "src"))
        #expect(header.sourceRPM == nil)
    }

    @Test("a signed package tells the key of each signature", arguments: [false, true])
    func signed(alsoPayload: Bool) async throws {
        let home = try await GPGHome()
        let file = directory.path.appending("signed.rpm")
        try FileManager.default.copyItem(atPath: try await sample("greeter-1.0~rc1-3.noarch.rpm").string, toPath: file.string)
        var arguments = [
            "--addsign", "--define", "__gpg /usr/bin/gpg", "--define", "_gpg_name \(home.keyID)", "--define", "_gpg_path \(home.path)",
        ]
        if alsoPayload { arguments.append("--rpmv3") }
        try await Tool.run(["rpmsign"] + arguments + [file.string], environment: ["GNUPGHOME": home.path.string])
        let header = try RPMHeader(reading: file)
        #expect(header.headerKeyIDs == [home.keyID])
        #expect(header.payloadKeyIDs == (alsoPayload ? [home.keyID] : []))
        #expect(header.signingKeyIDs == [home.keyID])
        try await home.close()
    }

    @Test("anything else than an RPM is an error with the name it was given")
    func garbage() async throws {
        let rpm = try await sample("greeter-1.0~rc1-3.noarch.rpm").bytes
        let lead = Array(rpm[..<96])
        let files: [[UInt8]] = [
            [], [0x42], Array("<html>not found</html>".utf8), [UInt8](repeating: 0, count: 10_000), lead, Array(rpm[..<200]),
            Array(rpm[..<4600]),
            lead + [UInt8](repeating: 0xFF, count: 5000), lead + Array(rpm[96..<104]) + [UInt8](repeating: 0x7F, count: 5000),
        ]
        for (number, bytes) in files.enumerated() {
            let file = try directory.file("garbage-\(number).rpm", bytes)
            let error = #expect(throws: RepodataError.self, "file \(number)") { try RPMHeader(reading: file, named: "Packages/x.rpm") }
            #expect(error?.code == .notAnRPM, "file \(number)")
            #expect(error?.message.hasPrefix("Packages/x.rpm") == true, "file \(number)")
            var writer = try RepositoryWriter(
                directory: try directory.directory("repo-\(number)"), packageCount: 1, options: .init(revision: "1", timestamp: 1))
            #expect(throws: RepodataError.self, "file \(number)") { try writer.add(file: file, href: "Packages/x.rpm") }
        }
    }

    @Test("a header with any byte changed gives a result or an error, never a crash")
    func changedBytes() async throws {
        let rpm = try await sample("oldtimer-0.1-1.noarch.rpm").bytes
        let end = try RPMHeader(reading: try await sample("oldtimer-0.1-1.noarch.rpm")).headerRange.upperBound
        var writer = try RepositoryWriter(directory: directory.path, packageCount: end, options: .init(revision: "1", timestamp: 1))
        var errors = 0
        for position in stride(from: 0, to: end, by: 7) {
            var bytes = rpm
            bytes[position] ^= 0xFF
            let file = try directory.file("changed.rpm", bytes)
            do {
                _ = try RPMHeader(reading: file)
            } catch {
                errors += 1
                #expect(error.code == .notAnRPM)
            }
            do {
                try writer.add(file: file, href: "changed.rpm")
            } catch {
                #expect(error.code == .notAnRPM || error.code == .malformed)
            }
        }
        #expect(errors > 0)
    }

    @Test("a file that is not there is an error of the system")
    func missing() throws {
        let error = #expect(throws: RepodataError.self) { try RPMHeader(reading: directory.path.appending("none.rpm")) }
        #expect(error?.code == .io)
        #expect(error?.message == "none.rpm: No such file or directory")
    }
}
