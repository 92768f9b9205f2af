import CSolv
import Compression
import Glibc
import Repodata

/// The properties of a package as Swift values.
extension PackagePool {
    func text(_ id: Id) -> String { String(cString: pool_id2str(pool, id)) }

    /// Returns the id of a name that the pool already has.
    func existingID(_ text: String) -> Id? {
        let id = pool_str2id(pool, text, 0)
        return id == 0 ? nil : id
    }

    func isSource(_ package: Id) -> Bool {
        let arch = solvable(package).pointee.arch
        return arch == Id(ARCH_SRC.rawValue) || arch == Id(ARCH_NOSRC.rawValue)
    }

    func isNoarch(_ package: Id) -> Bool { solvable(package).pointee.arch == Id(ARCH_NOARCH.rawValue) }

    /// Whether the package belongs in the tree of the architecture without multilib.
    func isNative(_ package: Id) -> Bool {
        isNoarch(package) || key.architecture.native.contains(arch(package))
    }

    func arch(_ package: Id) -> String { text(solvable(package).pointee.arch) }

    /// Returns the rank of the package's architecture. The lowest is the best. Returns 1 for `noarch`, and
    /// `nil` if machines do not run the architecture.
    func archScore(_ package: Id) -> UInt32? {
        let score = pool_arch2score(pool, solvable(package).pointee.arch)
        return score == 0 ? nil : score
    }

    /// Compares epoch, version and release of two packages. Returns a negative number if those of `a` are
    /// less, 0 if they are the same, and a positive number if they are more.
    func compareEVR(_ a: Id, _ b: Id) -> Int {
        Int(pool_evrcmp(pool, solvable(a).pointee.evr, solvable(b).pointee.evr, EVRCMP_COMPARE))
    }

    /// Whether `a` comes before `b`: by name, then by epoch, version and release as RPM compares them, then
    /// by architecture.
    func areInOrder(_ a: Id, _ b: Id) -> Bool {
        let (x, y) = (solvable(a).pointee, solvable(b).pointee)
        if x.name != y.name { return strcmp(pool_id2str(pool, x.name), pool_id2str(pool, y.name)) < 0 }
        let versions = compareEVR(a, b)
        if versions != 0 { return versions < 0 }
        for (i, j) in [(x.evr, y.evr), (x.arch, y.arch)] where i != j {
            return strcmp(pool_id2str(pool, i), pool_id2str(pool, j)) < 0
        }
        return a < b
    }

    func nevra(_ package: Id) -> NEVRA { Self.nevra(solvable(package).pointee, in: pool) }

    static func nevra(_ solvable: Solvable, in pool: UnsafeMutablePointer<Pool>) -> NEVRA {
        func name(_ id: Id) -> String { String(cString: pool_id2str(pool, id)) }
        var evr = pool_id2str(pool, solvable.evr)!
        var epoch = 0
        if let colon = strchr(evr, Int32(UInt8(ascii: ":"))) {
            epoch = Int(Self.text(evr, until: colon)) ?? 0
            evr = UnsafePointer(colon + 1)
        }
        let end = evr + strlen(evr)
        let dash = strrchr(evr, Int32(UInt8(ascii: "-"))).map { UnsafePointer($0) }
        return NEVRA(
            name: name(solvable.name), epoch: epoch, version: Self.text(evr, until: dash ?? end),
            release: dash.map { Self.text($0 + 1, until: end) } ?? "", arch: name(solvable.arch))
    }

    private static func text(_ start: UnsafePointer<CChar>, until end: UnsafePointer<CChar>) -> String {
        String(decoding: UnsafeRawBufferPointer(start: start, count: end - start), as: UTF8.self)
    }

    /// Returns the file name of the source package that the package was built from.
    func sourceRPM(_ package: Id) -> String? {
        solvable_lookup_sourcepkg(attributes(of: package)).map { String(cString: $0) }
    }

    /// Returns the name of the source package that the package was built from.
    func sourceName(_ package: Id) -> String? {
        let solvable = attributes(of: package)
        if solvable_lookup_void(solvable, Id(SOLVABLE_SOURCENAME.rawValue)) != 0 { return text(solvable.pointee.name) }
        return solvable_lookup_str(solvable, Id(SOLVABLE_SOURCENAME.rawValue)).map { String(cString: $0) }
    }

    func record(_ package: Id) -> PackageRecord {
        let solvable = attributes(of: package)
        var type: Id = 0
        // The checksum and the location were checked when the document was read.
        let digest = String(cString: solvable_lookup_checksum(solvable, Id(SOLVABLE_CHECKSUM.rawValue), &type))
        let algorithm = Checksum.Algorithm(rpmMD: String(cString: solv_chksum_type2str(type))) ?? .sha256
        return PackageRecord(
            nevra: nevra(package),
            pkgid: Checksum(algorithm, hex: digest),
            repository: repository(of: package),
            location: String(cString: solvable_lookup_location(solvable, nil)),
            base: solvable_lookup_str(solvable, Id(SOLVABLE_MEDIABASE.rawValue)).map { String(cString: $0) },
            size: Int(clamping: solvable_lookup_num(solvable, Id(SOLVABLE_DOWNLOADSIZE.rawValue), 0)),
            sourceRPM: isSource(package) ? nil : sourceRPM(package))
    }
}
