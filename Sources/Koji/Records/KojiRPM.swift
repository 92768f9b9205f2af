/// A package file, as Koji's database describes it.
public struct KojiRPM: Hashable, Sendable {
    public var id = 0
    /// The number of the build that contains the package. 0 for a package of an external repository.
    public var buildID = 0
    public var name = ""
    public var version = ""
    public var release = ""
    public var epoch: Int?
    public var arch = ""
    /// The size of the unsigned file in bytes.
    public var size = 0
    /// The time when it was built, in seconds since 1970.
    public var buildtime = 0
    public var payloadHash: PayloadHash?
    /// The key of the signature that this row describes, or "" for the unsigned header. `nil` when the call
    /// did not ask for signatures. Example: "0b3e5524".
    public var sigkey: String?
    /// Whether Koji knows the package but has no file of it.
    public var isMetadataOnly = false
    /// The number of the external repository that contains the package. 0 for a package that Koji built or
    /// imported itself.
    public var externalRepoID = 0

    public init() {}

    /// The name, version, release and architecture: the file's name without `.rpm`. Example:
    /// `scratchy-0.1-1.fc26.x86_64`.
    public var nvra: String { "\(name)-\(version)-\(release).\(arch)" }
}

/// The MD5 of a package's header and payload. Koji uses it to distinguish two files of the same name.
/// Signing does not change it.
public struct PayloadHash: Hashable, Sendable {
    private let high: UInt64
    private let low: UInt64

    /// Makes a hash from 32 hexadecimal digits. Returns `nil` for any other text.
    public init?(hex: some Collection<UInt8>) {
        guard hex.count == 32 else { return nil }
        var words: (UInt64, UInt64) = (0, 0)
        var position = 0
        for digit in hex {
            let value: UInt8
            switch digit {
            case 0x30...0x39: value = digit - 0x30
            case 0x41...0x46: value = digit - 0x41 + 10
            case 0x61...0x66: value = digit - 0x61 + 10
            default: return nil
            }
            if position < 16 { words.0 = words.0 << 4 | UInt64(value) } else { words.1 = words.1 << 4 | UInt64(value) }
            position += 1
        }
        (high, low) = words
    }
}

extension PayloadHash: CustomStringConvertible {
    /// The hash as 32 hexadecimal digits.
    public var description: String {
        String(unsafeUninitializedCapacity: 32) { digits in
            for index in 0..<32 {
                let word = index < 16 ? high : low
                let value = UInt8(truncatingIfNeeded: word >> UInt64(60 - 4 * (index % 16))) & 0xF
                digits.initializeElement(at: index, to: value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10)
            }
            return 32
        }
    }
}

extension KojiRPM: AnswerRow {
    enum Member: String, CaseIterable {
        case arch
        case buildID = "build_id"
        case buildtime, epoch
        case externalRepoID = "external_repo_id"
        case id
        case metadataOnly = "metadata_only"
        case name, payloadhash, release, sigkey, size, version
    }

    static var noun: String { "package" }

    mutating func take(_ member: Member, _ value: RowScalar) throws(RowScalar.Mismatch) {
        switch member {
        case .arch: arch = try value.string
        case .buildID: buildID = try value.int
        case .buildtime: buildtime = try value.int
        case .epoch: epoch = try value.int
        case .externalRepoID: externalRepoID = try value.int
        case .id: id = try value.int
        case .metadataOnly: isMetadataOnly = try value.bool
        case .name: name = try value.string
        case .payloadhash: payloadHash = PayloadHash(hex: try value.utf8)
        case .release: release = try value.string
        case .sigkey: sigkey = try value.string
        case .size: size = try value.int
        case .version: version = try value.string
        }
    }

    var missing: Member? {
        if id == 0 { return .id }
        if name.isEmpty { return .name }
        if version.isEmpty { return .version }
        if release.isEmpty { return .release }
        return arch.isEmpty ? .arch : nil
    }
}

/// One row of an answer of listTaggedRPMS. All packages come first, followed by the builds that contain
/// them.
public enum TaggedRow: Hashable, Sendable {
    case rpm(KojiRPM)
    case build(KojiBuild)
}

/// A signature of a package that Koji knows. A signed file need not exist: it may never have been
/// written, or may have been removed again.
public struct KojiSignature: Hashable, Sendable {
    public var rpmID = 0
    /// The key as 8 hexadecimal digits, or "" for the header of the unsigned file.
    public var sigkey = ""
    public var sighash = ""

    public init() {}
}

extension KojiSignature: AnswerRow {
    enum Member: String, CaseIterable {
        case rpmID = "rpm_id"
        case sighash, sigkey
    }

    static var noun: String { "signature" }

    mutating func take(_ member: Member, _ value: RowScalar) throws(RowScalar.Mismatch) {
        switch member {
        case .rpmID: rpmID = try value.int
        case .sighash: sighash = try value.string
        case .sigkey: sigkey = try value.string
        }
    }

    var missing: Member? { rpmID == 0 ? .rpmID : nil }
}
