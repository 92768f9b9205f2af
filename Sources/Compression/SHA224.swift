import CNettle

/// SHA-224, which rpm-md allows and swift-crypto does not have.
struct SHA224 {
    private var context = sha256_ctx()

    init() { nettle_sha224_init(&context) }

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        nettle_sha256_update(&context, bytes.count, bytes.assumingMemoryBound(to: UInt8.self).baseAddress)
    }

    /// Returns the digest of the bytes so far.
    func finalize() -> [UInt8] {
        var last = context
        return [UInt8](unsafeUninitializedCapacity: Int(SHA224_DIGEST_SIZE)) { digest, count in
            count = digest.count
            nettle_sha224_digest(&last, digest.count, digest.baseAddress)
        }
    }
}
