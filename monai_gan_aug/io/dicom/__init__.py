"""DICOM files: headers scanned, pixels decoded apart, and marked synthetic files written."""
