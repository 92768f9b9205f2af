/// The *inventory schema* is the JSON schema of `inventory.yaml`, for editors and other programs.
public enum InventorySchema {
    public static let text = String(decoding: PackageResources.inventory_schema_json, as: UTF8.self)
}
